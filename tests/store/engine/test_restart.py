"""A PostgreSQL server that is stopped and started under load: what was told done is kept."""

from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import func, make_url, select
from sqlalchemy.exc import OperationalError

from store.alerts.job_runs import start_run
from store.engine import postgresql_engine
from store.engine.database import Database, StoreUnavailable
from store.engine.schema.versions import ensure_current
from store.settings import StoreSettings
from store.tables.work_tables import JobRunRow
from tests.waiting import PATIENCE_SECONDS, wait_for


class _Load:
    """Writes and reads until it is stopped, and counts what came of it."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.written = self.read = self.away = 0
        self.unexpected: list[Exception] = []
        self._database, self._now = database, now
        self._stopped = Event()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.002):
            try:
                with self._database.write() as session:
                    start_run(session, "scan", self._now)
                self.written += 1
                with self._database.read() as session:
                    assert (session.scalar(select(func.count()).select_from(JobRunRow)) or 0) > 0
                self.read += 1
            except StoreUnavailable:
                self.away += 1
            except Exception as error:  # noqa: BLE001 - the test shows it
                self.unexpected.append(error)


def test_writes_and_reads_go_on_after_the_server_comes_back(
    own_server: Any, tmp_path: Path, now: datetime
) -> None:
    url = SecretStr(own_server.get_uri(driver="psycopg"))
    database = Database.open(StoreSettings(var_dir=tmp_path, database_url=url))
    ensure_current(database)
    load = _Load(database, now)
    try:
        for _ in range(2):
            before = load.written
            wait_for(lambda before=before: load.written > before + 5)  # type: ignore[misc]
            away = load.away
            own_server.stop()
            wait_for(lambda away=away: load.away > away + 3)  # type: ignore[misc]
            own_server.ensure_postgres_running()
            back = load.written
            wait_for(lambda back=back: load.written > back + 5)  # type: ignore[misc]
    finally:
        load.stop()
    assert load.unexpected == []
    with database.read() as session:
        kept = session.scalar(select(func.count()).select_from(JobRunRow)) or 0
    # A commit whose answer was cut off may be there all the same.
    assert load.written <= kept <= load.written + load.away
    database.close()


def test_a_connection_right_after_a_failed_one_fails_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A tenth of a second may be over before the second attempt.
    for name in ("_FIRST_PAUSE_SECONDS", "_MAX_PAUSE_SECONDS"):
        monkeypatch.setattr(postgresql_engine, name, PATIENCE_SECONDS)
    engine = postgresql_engine.postgresql_engine(
        make_url("postgresql+psycopg://nobody@127.0.0.1:1/none"), 2
    )
    with pytest.raises(OperationalError):
        engine.connect()
    with pytest.raises(StoreUnavailable, match="a moment ago"):
        engine.connect()
    engine.dispose()
