"""How a connection to SQLite is set up, and what closing it does."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from filelock import FileLock
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from store.alerts.job_runs import start_run
from store.engine.database import Database
from store.engine.schema.versions import ensure_current
from store.settings import StoreSettings
from store.tables.work_tables import JobRunRow
from tests.store.engine.database.runs import write_run


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
    write_run(local, "scan", now)
    with FileLock(tmp_path / "maskwatch.db.lock"):
        local.close()
