"""One read scope and one write scope: what waits, what fails, what is lost (nothing)."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest
from filelock import FileLock
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.database import Database, StoreMisconfigured, StoreUnavailable
from store.job_runs import start_run
from store.records import RequestRecord
from store.requests import add_record
from store.schema import ensure_current
from store.settings import StoreSettings
from store.tables import JobRunRow, RequestRow

NewRecord = Callable[..., RequestRecord]

_WRITE_TEN = """
import sys
from datetime import UTC, datetime
from store.database import Database
from store.job_runs import start_run
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


def test_a_read_block_never_writes(database: Database, now: datetime) -> None:
    with database.read() as session:
        start_run(session, "scan", now)
    assert _runs(database) == {}


def test_threads_that_write_together_lose_nothing(
    database: Database, new_record: NewRecord
) -> None:
    def write(_number: int) -> None:
        with database.write() as session:
            assert add_record(session, new_record())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(RequestRow)) == 30


def test_processes_that_write_together_lose_nothing(
    database: Database, store_settings: StoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", store_settings.effective_database_url())
    jobs = ["one", "two", "three"]
    started = [subprocess.Popen([sys.executable, "-c", _WRITE_TEN, job]) for job in jobs]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
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
    patient = Database.open(StoreSettings(var_dir=tmp_path, database_wait_seconds=30))
    with ThreadPoolExecutor(1) as pool:
        with local.write() as session:
            start_run(session, "first", now)
            waiting = pool.submit(_write_run, patient, "second", now)
            assert not waiting.done()
        waiting.result(timeout=30)
    assert _runs(local) == {"first": 1, "second": 1}
    patient.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "maskwatch.db").write_text("This is not a database, whatever its name says.")
    database = Database.open(StoreSettings(var_dir=tmp_path))
    with pytest.raises(StoreUnavailable, match="not a database"), database.read() as session:
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
    ],
)
def test_a_url_that_is_none_is_said_with_its_setting(tmp_path: Path, url: str) -> None:
    settings = StoreSettings(var_dir=tmp_path, database_url=SecretStr(url))
    with pytest.raises(StoreMisconfigured, match="MASKWATCH_DATABASE_URL") as caught:
        Database.open(settings)
    assert "s3cret" not in str(caught.value)
    assert not caught.value.retryable


@pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)
def test_when_all_connections_are_in_use_it_is_unavailable_after_the_wait(
    store_settings: StoreSettings,
) -> None:
    database = Database.open(store_settings.model_copy(update={"database_wait_seconds": 2}))
    with ExitStack() as sessions:
        with suppress(PoolTimeout):
            for _ in range(50):
                sessions.enter_context(database.engine.connect())
        with pytest.raises(StoreUnavailable, match="All connections"):
            _runs(database)
    assert _runs(database) == {}
    database.close()


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
