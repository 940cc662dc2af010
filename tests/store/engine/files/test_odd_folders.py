"""A folder may have any name: its database lies in it, and in no other folder."""

import shutil
import stat
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from store.alerts.job_runs import start_run
from store.engine.database import Database
from store.engine.reader_locks import Reader, lock_for_pruning, lock_for_reading
from store.engine.schema import versions as schema
from store.engine.sqlite_health import full_look, quick_look, revision_of
from store.engine.start import open_database
from store.keeping.sqlite_backups import back_up, restore
from store.settings import StoreSettings, load_settings
from store.tables.work_tables import JobRunRow

ODD = ("a?b", "a%20b", "a#b", "a b", "a%3Fmode=memory", "file:a", "a:b@c", "ü;'\"", "[a]*")


@pytest.fixture(params=("a?b", "a%20b", "file:a", "[a]*"))
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def _runs(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(JobRunRow)) or 0


def _made(folder: Path, now: datetime) -> Database:
    database = open_database(StoreSettings(var_dir=folder))
    with database.write() as session:
        start_run(session, "scan", now)
    return database


def test_the_database_lies_in_its_folder_and_nowhere_else(folder: Path, now: datetime) -> None:
    _made(folder, now).close()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert (folder / "maskwatch.db").stat().st_size > 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folders_whose_names_a_url_would_confuse_share_nothing(
    tmp_path: Path, now: datetime
) -> None:
    names = (*ODD, "a")
    for name in names:
        _made(tmp_path / name, now).close()
    for name in names:
        database = Database.open(StoreSettings(var_dir=tmp_path / name))
        assert _runs(database) == 1
        database.close()


def test_looks_backups_and_turns_work_there(folder: Path, now: datetime) -> None:
    database = _made(folder, now)
    file, copy = folder / "maskwatch.db", folder / "copy"
    with lock_for_reading(database, Reader.BACKUP):
        back_up(file, copy)
    with lock_for_pruning(database):
        database.close()
    full_look(copy)
    assert quick_look(file, 5)
    assert revision_of(file) == revision_of(copy)
    restore(copy, file, force=True)
    assert _runs(Database.open(StoreSettings(var_dir=folder))) == 1


def test_the_address_survives_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = StoreSettings(var_dir=folder)
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", given.store.effective_database_url())
    read = load_settings(StoreSettings)
    assert read.store.database_address() == given.store.database_address()


def test_maskwatch_itself_may_lie_in_such_a_folder(
    folder: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = folder / "migrations"
    shutil.copytree(schema.migrations_folder(), installed)
    monkeypatch.setattr(schema, "migrations_folder", lambda: installed)
    database = _made(folder / "var", now)
    assert _runs(database) == 1
    database.close()
