"""A PostgreSQL that restarts under the scheduler: it leads on, and nobody starts beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from jobs.leader import AlreadyRunning, leadership
from jobs.scheduler import run
from jobs.settings import JobSettings
from store.alerts.job_runs import SUCCEEDED
from store.engine.database import Database, StoreUnavailable
from store.engine.leases import Lease, read_lease
from store.engine.schema.versions import upgrade
from store.tables.work_tables import JobRunRow
from tests.jobs.leading import PATIENT
from tests.waiting import PATIENCE_SECONDS, wait_for


@pytest.fixture
def database(own_server: Any, tmp_path: Path) -> Iterator[Database]:
    """A database on a server that may be stopped."""
    url = SecretStr(own_server.get_uri(driver="psycopg"))
    settings = JobSettings(var_dir=tmp_path, database_url=url)
    opened = Database.open(settings)
    upgrade(opened)
    yield opened
    opened.close()


def _read_lease(database: Database) -> Lease:
    with database.read() as session:
        return read_lease(session)


def _count_runs(database: Database) -> int:
    mailed = (JobRunRow.job == "notify", JobRunRow.outcome == SUCCEEDED)
    try:
        with database.read() as session:
            return session.scalar(select(func.count()).where(*mailed)) or 0
    except StoreUnavailable:
        return 0


@contextmanager
def _scheduler(server: Any, tmp_path: Path) -> Iterator[None]:
    """A scheduler in a thread, which ends with the context however the server fares."""
    settings = JobSettings(
        var_dir=tmp_path,
        database_url=SecretStr(server.get_uri(driver="psycopg")),
        notify_interval_seconds=1,
    )
    stop = Event()
    thread = Thread(target=run, args=(settings, stop, PATIENT))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_the_leader_leads_on_after_a_restart_and_a_second_one_is_refused(
    own_server: Any, database: Database, tmp_path: Path
) -> None:
    with _scheduler(own_server, tmp_path):
        wait_for(lambda: _count_runs(database))
        before = _read_lease(database)
        own_server.stop()
        own_server.ensure_postgres_running()
        wait_for(lambda: _count_runs(database))
        runs = _count_runs(database)
        wait_for(lambda: _count_runs(database) > runs)
        after = _read_lease(database)
        assert (after.token, after.since) == (before.token, before.since)
        with (
            pytest.raises(AlreadyRunning, match="is running for this database"),
            leadership(database, Event(), PATIENT),
        ):
            pass


def test_a_scheduler_is_stopped_while_the_database_is_away(
    own_server: Any, database: Database, tmp_path: Path
) -> None:
    with _scheduler(own_server, tmp_path):
        wait_for(lambda: _count_runs(database))
        own_server.stop()
