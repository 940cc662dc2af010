"""Writers that meet: who waits, who is told that it is unavailable, and what is lost (nothing)."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from math import inf
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import func, select, update

from store.alerts.job_runs import start_run
from store.engine.database import Database, StoreUnavailable
from store.requests.record_store import add_record
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow
from store.tables.work_tables import JobRunRow
from tests.makers import make_record
from tests.poolers import with_query
from tests.store.engine.database.runs import count_runs, write_run
from tests.together import run_together
from tests.waiting import PATIENCE_SECONDS, be_patient

# SQLAlchemy keeps five, and makes ten more.
_CONNECTIONS = 15
_IMPORTS = """
from datetime import UTC, datetime
from store.engine.database import Database
from store.alerts.job_runs import start_run
from store.settings import StoreSettings, load_settings
"""
_WRITE_TEN = """
database = Database.open(load_settings(StoreSettings))
for _ in range(10):
    with database.write() as session:
        start_run(session, word, datetime.now(UTC))
database.close()
"""


@contextmanager
def _held(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_a_row_that_somebody_else_holds_is_waited_for_and_then_unavailable(
    store_settings: StoreSettings, now: datetime
) -> None:
    hasty = store_settings.model_copy(update={"database_wait_seconds": 0.1})
    database = Database.open(with_query(hasty, connect_timeout="60"))
    # What has to succeed may take its time: only for a lock of somebody else it never waits longer.
    with database.write(inf) as session:
        start_run(session, "scan", now)
    change = update(JobRunRow).values(rows=1)
    with database.engine.connect() as other:
        other.execute(change)
        with pytest.raises(StoreUnavailable), database.write() as session:
            session.execute(change)
    with database.write(inf) as session:
        session.execute(change)
    database.close()


def test_threads_that_write_together_lose_nothing(database: Database) -> None:
    def write(_number: int) -> None:
        with database.write() as session:
            assert add_record(session, make_record())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(RequestRow)) == 30


def test_processes_that_write_together_lose_nothing(
    database: Database, store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", store_settings.store.effective_database_url())
    monkeypatch.setenv("MASKWATCH_DATABASE_WAIT_SECONDS", str(PATIENCE_SECONDS))
    jobs = ["one", "two", "three"]
    run_together(_IMPORTS, _WRITE_TEN, jobs)
    assert count_runs(database) == dict.fromkeys(jobs, 10)


def test_a_locked_file_is_unavailable_after_the_wait_and_works_afterwards(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    with _held(tmp_path / "maskwatch.db"):
        with pytest.raises(StoreUnavailable, match="locked by another program") as caught:
            write_run(local, "scan", now)
        assert count_runs(local) == {}
    assert caught.value.retryable
    write_run(local, "scan", now)
    assert count_runs(local) == {"scan": 1}


def test_writers_take_turns_outside_of_sqlite(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    """Two writers that meet inside old SQLite versions can damage the file."""
    with FileLock(tmp_path / "maskwatch.db.lock"):
        with pytest.raises(StoreUnavailable, match="locked"):
            write_run(local, "scan", now)
        assert count_runs(local) == {}
    write_run(local, "scan", now)


def test_a_writer_that_holds_the_turn_is_waited_for(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    patient = Database.open(be_patient(StoreSettings(var_dir=tmp_path)))
    with ThreadPoolExecutor(1) as pool:
        with local.write() as session:
            start_run(session, "first", now)
            waiting = pool.submit(write_run, patient, "second", now)
            assert not waiting.done()
        waiting.result(PATIENCE_SECONDS)
    assert count_runs(local) == {"first": 1, "second": 1}
    patient.close()


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_when_all_connections_are_in_use_it_is_unavailable_after_the_wait(
    store_settings: StoreSettings,
) -> None:
    hasty = store_settings.model_copy(update={"database_wait_seconds": 0.1})
    database = Database.open(with_query(hasty, connect_timeout="60"))
    with ExitStack() as sessions:
        for _ in range(_CONNECTIONS):
            sessions.enter_context(database.engine.connect())
        with pytest.raises(StoreUnavailable, match="All connections"):
            count_runs(database)
    assert count_runs(database) == {}
    database.close()
