"""One read scope and one write scope: what waits, what fails, what is lost (nothing)."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from math import inf
from pathlib import Path

import pytest
from filelock import FileLock
from pydantic import SecretStr
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from store.alerts.job_runs import start_run
from store.configuration.names import SettingsError
from store.engine.database import (
    Database,
    ReadTimedOut,
    StoreDamaged,
    StoreMisconfigured,
    StoreUnavailable,
)
from store.engine.faults import ReadScopeWrites
from store.engine.schema.versions import ensure_current
from store.requests.record_store import add_record
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow
from store.tables.work_tables import JobRunRow
from tests.makers import make_record
from tests.poolers import with_query
from tests.waiting import PATIENCE_SECONDS, be_patient

# More steps than any test waits for.
_ENDLESS = """
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000)
SELECT count(*) FROM n
"""
# SQLAlchemy keeps five, and makes ten more.
_CONNECTIONS = 15
_SOME_STEPS = _ENDLESS.replace("1000000000", "300000")
_WRITE_TEN = """
import sys
from datetime import UTC, datetime
from store.engine.database import Database
from store.alerts.job_runs import start_run
from store.settings import StoreSettings, load_settings
database = Database.open(load_settings(StoreSettings))
for _ in range(10):
    with database.write() as session:
        start_run(session, sys.argv[1], datetime.now(UTC))
database.close()
"""


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file that waits a tenth of a second for whoever holds it."""
    database = Database.open(StoreSettings(var_dir=tmp_path, database_wait_seconds=0.1))
    ensure_current(database)
    yield database
    database.close()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def _runs(database: Database) -> dict[str, int]:
    counted = select(JobRunRow.job, func.count()).group_by(JobRunRow.job)
    with database.read() as session:
        return {job: count for job, count in session.execute(counted)}  # noqa: C416


def _write_run(database: Database, job: str, now: datetime) -> None:
    with database.write() as session:
        start_run(session, job, now)


def test_a_write_is_there_after_its_block(database: Database, now: datetime) -> None:
    _write_run(database, "scan", now)
    assert _runs(database) == {"scan": 1}


def test_a_block_that_raises_leaves_nothing_and_lets_the_next_one_in(
    database: Database, now: datetime
) -> None:
    with suppress(LookupError), database.write() as session:
        start_run(session, "scan", now)
        raise LookupError
    assert _runs(database) == {}
    _write_run(database, "scan", now)
    assert _runs(database) == {"scan": 1}


def test_a_read_block_cannot_write(database: Database, now: datetime) -> None:
    with pytest.raises(ReadScopeWrites), database.read() as session:
        start_run(session, "scan", now)
    assert _runs(database) == {}
    _write_run(database, "scan", now)
    assert _runs(database) == {"scan": 1}


def test_a_read_that_takes_too_long_ends_with_advice_and_the_next_one_works(
    database: Database,
) -> None:
    with (
        pytest.raises(ReadTimedOut, match="narrow the time window") as caught,
        database.read(seconds=0.05) as session,
    ):
        session.execute(text(_ENDLESS))
    assert caught.value.retryable
    assert _runs(database) == {}


def test_the_time_of_a_read_counts_for_each_statement(database: Database) -> None:
    # The short statement in between may take seconds of PostgreSQL's; of SQLite's it has no steps.
    seconds, times = (0.1, 3) if database.dialect == "sqlite" else (4.0, 1)
    with database.read(seconds) as session:
        for _ in range(times):
            with pytest.raises(DBAPIError), session.begin_nested():
                session.execute(text(_ENDLESS))
            assert session.scalar(select(func.count()).select_from(JobRunRow)) == 0


def test_a_read_without_limit_follows_one_with_a_limit(database: Database) -> None:
    with pytest.raises(ReadTimedOut), database.read(seconds=0.05) as session:
        session.execute(text(_ENDLESS))
    with database.read(seconds=inf) as session:
        assert session.scalar(text(_SOME_STEPS)) == 300_000


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_a_transaction_has_its_limits_and_leaves_none_behind(
    store_settings: StoreSettings,
) -> None:
    names = ("statement_timeout", "lock_timeout", "transaction_read_only")
    changes = {"database_wait_seconds": 3, "read_timeout_seconds": 0.25}
    database = Database.open(store_settings.model_copy(update=changes))

    def seen(session: Session) -> list[object]:
        return [session.scalar(text(f"SHOW {name}")) for name in names]

    with database.read() as session:
        assert seen(session) == ["250ms", "3s", "on"]
        assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
    with database.write() as session:
        assert seen(session) == ["3s", "3s", "off"]
    with database.write(inf) as session:
        assert seen(session) == ["0", "3s", "off"]
    with database.engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"
    database.close()


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


def test_a_sqlite_connection_is_set_up_for_its_work(local: Database, now: datetime) -> None:
    def asked(session: Session, *names: str) -> list[object]:
        return [session.scalar(text(f"PRAGMA {name}")) for name in names]

    usual = ("journal_mode", "synchronous", "foreign_keys", "query_only", "cache_size")
    with local.read() as session:
        assert asked(session, *usual) == ["wal", 2, 1, 1, -8192]
    with local.write() as session:
        assert asked(session, *usual, "journal_size_limit") == ["wal", 2, 1, 0, -65536, 67108864]


def test_statistics_of_sqlite_are_refreshed_at_the_end(tmp_path: Path, now: datetime) -> None:
    database = Database.open(StoreSettings(var_dir=tmp_path))
    ensure_current(database)
    with database.write() as session:
        for _ in range(20):
            start_run(session, "scan", now)
        session.execute(select(JobRunRow).where(JobRunRow.job == "scan")).all()
    database.close()
    with closing(sqlite3.connect(tmp_path / "maskwatch.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_stat1").fetchone()[0] > 0


def test_closing_does_not_wait_for_another_writer(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    _write_run(local, "scan", now)
    with FileLock(tmp_path / "maskwatch.db.lock"):
        local.close()


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
    started = [subprocess.Popen([sys.executable, "-c", _WRITE_TEN, job]) for job in jobs]
    assert [process.wait(PATIENCE_SECONDS) for process in started] == [0, 0, 0]
    assert _runs(database) == dict.fromkeys(jobs, 10)


def test_a_locked_file_is_unavailable_after_the_wait_and_works_afterwards(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    with _held(tmp_path / "maskwatch.db"):
        with pytest.raises(StoreUnavailable, match="locked by another program") as caught:
            _write_run(local, "scan", now)
        assert _runs(local) == {}
    assert caught.value.retryable
    _write_run(local, "scan", now)
    assert _runs(local) == {"scan": 1}


def test_writers_take_turns_outside_of_sqlite(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    """Two writers that meet inside old SQLite versions can damage the file."""
    with FileLock(tmp_path / "maskwatch.db.lock"):
        with pytest.raises(StoreUnavailable, match="locked"):
            _write_run(local, "scan", now)
        assert _runs(local) == {}
    _write_run(local, "scan", now)


def test_a_writer_that_holds_the_turn_is_waited_for(
    local: Database, tmp_path: Path, now: datetime
) -> None:
    patient = Database.open(be_patient(StoreSettings(var_dir=tmp_path)))
    with ThreadPoolExecutor(1) as pool:
        with local.write() as session:
            start_run(session, "first", now)
            waiting = pool.submit(_write_run, patient, "second", now)
            assert not waiting.done()
        waiting.result(PATIENCE_SECONDS)
    assert _runs(local) == {"first": 1, "second": 1}
    patient.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "maskwatch.db").write_text("This is not a database, whatever its name says.")
    database = Database.open(StoreSettings(var_dir=tmp_path))
    sentence = r"maskwatch.db is damaged \(file is not a database.*maskwatch db restore BACKUP"
    with pytest.raises(StoreDamaged, match=sentence), database.read() as session:
        session.connection()
    with pytest.raises(StoreDamaged, match=sentence), database.write() as session:
        session.connection()
    database.close()


def test_missing_tables_name_the_command(tmp_path: Path) -> None:
    database = Database.open(StoreSettings(var_dir=tmp_path))
    with pytest.raises(StoreUnavailable, match="run `maskwatch db upgrade`"):
        _runs(database)
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "https://example.org/maskwatch",
        "mysql://robot:s3cret@db.example/maskwatch",
        "postgresql+moon://robot:s3cret@db.example/maskwatch",
        "postgresql+psycopg://robot:s3cret@db.example:port/maskwatch",
        "sqlite+aiosqlite:///maskwatch.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://host/maskwatch.db",
        "sqlite:////tmp/a?b/maskwatch.db",
    ],
)
def test_a_url_that_is_none_is_said_with_its_setting(tmp_path: Path, url: str) -> None:
    settings = StoreSettings(var_dir=tmp_path, database_url=SecretStr(url))
    with pytest.raises(SettingsError, match="MASKWATCH_DATABASE_URL") as caught:
        Database.open(settings)
    assert "s3cret" not in str(caught.value)
    assert not caught.value.retryable


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
            _runs(database)
    assert _runs(database) == {}
    database.close()


def test_a_folder_that_may_only_be_read_is_named(tmp_path: Path, now: datetime) -> None:
    folder = tmp_path / "var"
    _made(folder)
    with _read_only(folder):
        database = Database.open(StoreSettings(var_dir=folder))
        with pytest.raises(StoreUnavailable, match=r"maskwatch.db or its folder cannot be written"):
            _write_run(database, "scan", now)
        database.close()
    database = Database.open(StoreSettings(var_dir=folder))
    _write_run(database, "scan", now)
    database.close()


def test_a_file_that_may_only_be_read_is_named(tmp_path: Path, now: datetime) -> None:
    _made(tmp_path)
    with _read_only(tmp_path / "maskwatch.db"):
        database = Database.open(StoreSettings(var_dir=tmp_path))
        with pytest.raises(StoreUnavailable, match=r"maskwatch.db or its folder cannot be written"):
            _write_run(database, "scan", now)
        database.close()


def _made(folder: Path) -> None:
    database = Database.open(StoreSettings(var_dir=folder))
    ensure_current(database)
    database.close()


@contextmanager
def _read_only(path: Path) -> Iterator[None]:
    """Root may write whatever the mode says, so the path is mounted on itself, read-only."""
    if os.geteuid() != 0:
        path.chmod(0o500 if path.is_dir() else 0o400)
        yield
        path.chmod(0o700)
        return
    if not (_ran("mount", "--bind", path, path) and _ran("mount", "-o", "remount,bind,ro", path)):
        pytest.skip("root can write anywhere, and may not mount a read-only path here")
    try:
        yield
    finally:
        assert _ran("umount", path)


def _ran(*words: str | Path) -> bool:
    return subprocess.run(words, check=False).returncode == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("A file where the folder should be.")
    with pytest.raises(StoreMisconfigured, match=r"file/var .*MASKWATCH_VAR_DIR"):
        Database.open(StoreSettings(var_dir=tmp_path / "file" / "var"))


def test_a_server_that_is_away_is_unavailable_and_its_password_stays_secret(
    tmp_path: Path,
) -> None:
    url = SecretStr("postgresql+psycopg://robot:s3cret@127.0.0.1:1/maskwatch?connect_timeout=2")
    database = Database.open(StoreSettings(var_dir=tmp_path, database_url=url))
    assert database.dialect == "postgresql"
    with pytest.raises(StoreUnavailable, match="MASKWATCH_DATABASE_URL") as caught:
        _runs(database)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    database.close()
