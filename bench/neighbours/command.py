"""``python -m bench neighbours``."""

from collections.abc import Collection
from pathlib import Path

from bench.gate.command import choose_parts, measure_parts
from bench.neighbours.clock import measure_clock
from bench.neighbours.greylisting import measure_greylisting
from bench.neighbours.nginx import measure_nginx
from bench.neighbours.pgbouncer import measure_pgbouncer
from bench.neighbours.restarts import measure_restarts
from bench.report import publish


def measure_neighbours(
    hostile: Path, out: Path, seconds: float, restarts: int, only: Collection[str] = ()
) -> None:
    """Measure part by part, write the figures after each, and publish them all.

    Args:
        seconds: behind PgBouncer, before and after the leader of the jobs is killed.
        restarts: of PostgreSQL.
        only: names of parts; none means all.

    Raises:
        UnknownPart: there is none of that name.
        NginxMissing: nginx is not installed.
        RunFailed: another neighbour is not, or something does not come back.
        ServiceFailed: the service does not start.
    """
    parts = {
        "nginx": lambda: measure_nginx(hostile),
        "greylisting": measure_greylisting,
        "pgbouncer": lambda: measure_pgbouncer(seconds),
        "restarts": lambda: measure_restarts(restarts),
        "clock": measure_clock,
    }
    publish("Neighbours", measure_parts(choose_parts(parts, only), out), out)
