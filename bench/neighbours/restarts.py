"""A PostgreSQL that is stopped, killed and started again under a service and its jobs."""

from contextlib import closing
from os import kill
from pathlib import Path
from signal import SIGQUIT
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

from bench.gate.service import running_service
from bench.neighbours.whole import (
    RunFailed,
    Uploads,
    address_of,
    describe_records,
    describe_runs,
    running_jobs,
    seconds_until,
    seconds_until_jobs_run,
    steady_uploads,
)
from bench.report import Figures
from bench.store.servers import Place, open_place
from store.engine.database import Database
from store.engine.faults import StoreUnavailable
from store.engine.leases import read_lease

# In turns the server is told to stop, and to drop everything as in a crash.
_AWAY_SECONDS = (1.0, 20.0)


def measure_restarts(restarts: int) -> Figures:
    """A service and its jobs while the server goes away and comes back, again and again.

    Raises:
        RunFailed: something does not come back.
        ServiceFailed: the service does not start.
        NoServer: there is no PostgreSQL.
    """
    with (
        TemporaryDirectory(prefix="maskwatch-restarts-") as name,
        open_place("postgres", Path(name)) as place,
        closing(Database.open(place.settings)) as database,
    ):
        figures = _play(place, database, restarts)
    return {f"restarts_{name}": value for name, value in figures.items()}


def _play(place: Place, database: Database, restarts: int) -> dict[str, float]:
    variables = address_of(place.settings)
    with (
        running_service(**variables, RATE_PER_SECOND="0") as service,
        running_jobs(variables) as leader,
    ):
        seconds_until_jobs_run(database)
        token = _leader(database)
        with steady_uploads(service.url) as uploads:
            pauses = [_restart(place.server, database, uploads, n) for n in range(restarts)]
        if leader.poll() is not None:
            raise RunFailed("The scheduler ended while the server was away.")
        with running_jobs(variables) as second:
            is_refused = second.wait() > 0
        is_same = _leader(database) == token
        records = describe_records(database, uploads)
    return {
        "restarts": restarts,
        "jobs_back_seconds_max": max(pauses),
        **records,
        **describe_runs(database),
        "same_leader": float(is_same),
        "second_scheduler_refused": float(is_refused),
    }


def _restart(server: Any, database: Database, uploads: Uploads, number: int) -> float:
    """Seconds from the start of the server until the jobs run again."""
    if number % 2 == 1:
        kill(server.get_pid(), SIGQUIT)
        seconds_until(lambda: not server.get_postmaster_info().is_running())
    else:
        server.stop()
    before = len(uploads.ids)
    sleep(_AWAY_SECONDS[number // 2 % 2])
    seconds_until(lambda: len(uploads.ids) > before)
    server.ensure_postgres_running()
    return seconds_until(lambda: _is_back(database)) + seconds_until_jobs_run(database)


def _is_back(database: Database) -> bool:
    try:
        return _leader(database) is not None
    except StoreUnavailable:
        return False


def _leader(database: Database) -> str | None:
    with database.read() as session:
        return read_lease(session).token
