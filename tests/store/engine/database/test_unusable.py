"""A database that cannot be used is said in one sentence, which holds no password."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from store.configuration.names import SettingsError
from store.engine.database import Database, StoreDamaged, StoreMisconfigured, StoreUnavailable
from store.engine.schema.versions import ensure_current, upgrade
from store.requests.record_store import add_records
from store.settings import StoreSettings
from tests.makers import make_record
from tests.small_disk import fill_disk, small_disk
from tests.store.engine.database.runs import count_runs, write_run


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
        count_runs(database)
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


@pytest.mark.parametrize("free_bytes", [0, 200_000])
def test_a_full_disk_is_named_and_the_next_write_works_once_there_is_room(
    tmp_path: Path, now: datetime, free_bytes: int
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        settings = StoreSettings(var_dir=disk)
        with closing(Database.open(settings)) as database:
            upgrade(database)
        filling = fill_disk(disk)
        os.truncate(filling, filling.stat().st_size - free_bytes)
        with closing(Database.open(settings)) as database:
            with pytest.raises(StoreUnavailable, match=f"The disk of {disk}.* is full or fails"):
                _write_much(database, now)
            filling.unlink()
            _write_much(database, now)


def _write_much(database: Database, now: datetime) -> None:
    with database.write() as session:
        assert add_records(session, [make_record(received_at=now) for _ in range(2_000)]) == 2_000


def test_a_folder_that_may_only_be_read_is_named(tmp_path: Path, now: datetime) -> None:
    folder = tmp_path / "var"
    _made(folder)
    with _read_only(folder):
        database = Database.open(StoreSettings(var_dir=folder))
        with pytest.raises(StoreUnavailable, match=r"maskwatch.db or its folder cannot be written"):
            write_run(database, "scan", now)
        database.close()
    database = Database.open(StoreSettings(var_dir=folder))
    write_run(database, "scan", now)
    database.close()


def test_a_file_that_may_only_be_read_is_named(tmp_path: Path, now: datetime) -> None:
    _made(tmp_path)
    with _read_only(tmp_path / "maskwatch.db"):
        database = Database.open(StoreSettings(var_dir=tmp_path))
        with pytest.raises(StoreUnavailable, match=r"maskwatch.db or its folder cannot be written"):
            write_run(database, "scan", now)
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
        count_runs(database)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    database.close()
