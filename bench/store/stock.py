"""A database with a month of traffic, made once and kept; making it may be stopped and resumed."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bench.store.records import Traffic
from store.counts.roll_up_upkeep import fold_names
from store.counts.roll_ups import roll_up
from store.engine.database import Database
from store.engine.day_partitions import is_partitioned, make_days
from store.requests.record_store import add_records
from store.requests.records import RequestRecord
from store.tables.request_tables import RequestRow

_GROUP, _ROLLED = 5_000, 100_000


def fill(database: Database, traffic: Traffic) -> None:
    """Store what is missing of the traffic."""
    count = _count_requests(database)
    if count >= traffic.count:
        return
    _make_days(database, traffic)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"records, {database.dialect}", total=traffic.count)
        progress.advance(task, count)
        for group in _groups(islice(traffic.records(), count, None)):
            with database.write() as session:
                add_records(session, group)
            progress.advance(task, len(group))
    _analyze(database)


def _make_days(database: Database, traffic: Traffic) -> None:
    with database.write() as session:
        if is_partitioned(session):
            make_days(session, traffic.start.date(), traffic.span // timedelta(days=1) + 1)


def _count_requests(database: Database) -> int:
    with database.read(seconds=3600) as session:
        return session.scalar(select(func.count()).select_from(RequestRow)) or 0


def _groups(records: Iterator[RequestRecord]) -> Iterator[Sequence[RequestRecord]]:
    while group := list(islice(records, _GROUP)):
        yield group


def _analyze(database: Database) -> None:
    """What autovacuum, and SQLite's own `optimize`, would have done in a month."""
    with database.write(seconds=3600) as session:
        session.execute(text("ANALYZE"))


def measure_bytes(database: Database) -> int:
    """Size of the whole database, indexes and all."""
    with database.read() as session:
        if database.dialect == "postgresql":
            return session.scalar(text("SELECT pg_database_size(current_database())")) or 0
        pages, size = (
            session.scalar(text(f"PRAGMA {name}")) for name in ("page_count", "page_size")
        )
        return (pages or 0) * (size or 0)


def roll_up_everything(database: Database, now: datetime) -> None:
    """What the job of that name has done by then."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"roll-ups, {database.dialect}", total=None)
        while batch := _one(database, lambda session: roll_up(session, now, _ROLLED)):
            progress.advance(task, batch)
        while _one(database, lambda session: fold_names(session, now)):
            progress.advance(task)


def _one(database: Database, step: Callable[[Session], int | bool]) -> int:
    with database.write(seconds=3600) as session:
        return int(step(session))
