"""How long each read of the dashboard takes with ten million records."""

from datetime import datetime
from pathlib import Path
from statistics import quantiles
from time import perf_counter

from bench.store.records import Traffic
from bench.store.servers import open_database
from bench.store.stock import fill, measure_bytes, roll_up_everything
from store.engine.database import Database
from store.pages.queries import DASHBOARD_QUERIES, DashboardQuery

_ROUNDS = 40


def measure_pages(
    kind: str, folder: Path, traffic: Traffic, rounds: int = _ROUNDS
) -> dict[str, object]:
    """The slowest 95th percentile, that of each read, and the size of a record."""
    with open_database(kind, folder / kind) as database:
        fill(database, traffic)
        now = traffic.start + traffic.span
        roll_up_everything(database, now)
        reads = {query.name: _p95(database, query, now, rounds) for query in DASHBOARD_QUERIES}
        size = measure_bytes(database) / traffic.count
    return {
        f"page_query_ms_p95_{kind}": max(reads.values()),
        f"page_queries_{kind}": dict(sorted(reads.items(), key=lambda read: -read[1])),
        f"db_bytes_per_record_{kind}": size,
    }


def _p95(database: Database, query: DashboardQuery, now: datetime, rounds: int) -> float:
    """Milliseconds; the first look, at cold pages, is one of them."""
    times = [_milliseconds(database, query, now) for _ in range(rounds)]
    return quantiles(times, n=20, method="inclusive")[-1]


def _milliseconds(database: Database, query: DashboardQuery, now: datetime) -> float:
    start = perf_counter()
    with database.read(seconds=600) as session:
        query.run(session, now)
    return (perf_counter() - start) * 1000
