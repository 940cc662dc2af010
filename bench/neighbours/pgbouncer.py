"""Minutes behind a real PgBouncer in transaction mode: records, jobs, and who leads them."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from bench.gate.service import running_service
from bench.neighbours.poolers import SERVER_CONNECTIONS, running_pooler
from bench.neighbours.whole import (
    address_of,
    count_faults,
    describe_records,
    describe_runs,
    running_jobs,
    seconds_until_jobs_run,
    steady_uploads,
)
from bench.report import Figures
from bench.store.servers import open_place
from store.engine.database import Database
from store.settings import StoreSettings


def measure_pgbouncer(seconds: float) -> Figures:
    """A service and its jobs through a pooler with few connections; the leader is killed.

    Raises:
        RunFailed: PgBouncer is not there, or something does not come back.
        ServiceFailed: the service does not start.
        NoServer: there is no PostgreSQL.
    """
    with (
        TemporaryDirectory(prefix="maskwatch-pgbouncer-") as name,
        open_place("postgres", Path(name)) as place,
        running_pooler(place.settings) as pooled,
        closing(Database.open(place.settings)) as database,
    ):
        figures = _play(pooled, database, seconds)
    return {f"pgbouncer_{name}": value for name, value in figures.items()}


def _play(pooled: StoreSettings, database: Database, seconds: float) -> dict[str, float]:
    variables = address_of(pooled)
    with (
        running_service(**variables, RATE_PER_SECOND="0") as service,
        steady_uploads(service.url) as uploads,
    ):
        with running_jobs(variables) as leader:
            seconds_until_jobs_run(database)
            with running_jobs(variables) as second:
                is_refused = second.wait() > 0
            sleep(seconds)
            leader.kill()
        with running_jobs(variables):
            takeover_seconds = seconds_until_jobs_run(database)
            sleep(seconds)
        faults = count_faults(service)
    return {
        "server_connections": SERVER_CONNECTIONS,
        **describe_records(database, uploads),
        "service_faults": faults,
        **describe_runs(database),
        "second_scheduler_refused": float(is_refused),
        "takeover_seconds": takeover_seconds,
    }
