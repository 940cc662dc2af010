"""Files of the var folder are their owner's alone, whatever the umask and the folder's mode."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from store.alerts.job_runs import start_run
from store.engine.database import Database, StoreUnavailable
from store.engine.files.private_files import close_to_others, exposed_files
from store.engine.reader_locks import Reader, lock_for_pruning, lock_for_reading
from store.engine.schema.versions import current_revision
from store.engine.start import open_database
from store.exports.export_columns import Window
from store.exports.export_file import export_to_file
from store.exports.export_formats import Format
from store.keeping.backup_files import back_up_files
from store.keeping.sqlite_backups import back_up, restore
from store.requests.picture_store import PICTURE, PictureStore
from store.settings import StoreSettings
from store.spool.spool import Spool, SpoolFailed
from tests.makers import make_record


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    """What is made is open to all unless its maker says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def var_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    return folder


def _modes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in files}


def test_the_database_its_log_and_its_locks_are_private(var_dir: Path, now: datetime) -> None:
    with closing(open_database(StoreSettings(var_dir=var_dir))) as database:
        with database.write() as session:
            start_run(session, "scan", now)
        with lock_for_reading(database, Reader.EXPORT), database.read():
            modes = _modes(var_dir)
        with lock_for_pruning(database):
            modes |= _modes(var_dir)
    assert {f"maskwatch.db{end}" for end in ("", "-wal", "-shm", ".lock", ".export.lock")} < set(
        modes
    )
    assert set(modes.values()) == {"0o600"}, modes


def test_a_database_that_is_only_read_is_made_private_too(var_dir: Path) -> None:
    with closing(Database.open(StoreSettings(var_dir=var_dir))) as database:
        assert current_revision(database) is None
        assert set(_modes(var_dir).values()) == {"0o600"}


def test_what_lies_beside_the_database_is_private(var_dir: Path, now: datetime) -> None:
    pictures, spool = PictureStore(var_dir), Spool(var_dir)
    pictures.put(PICTURE, b"a picture", "image/webp")
    spool.append([make_record()])
    spool.set_aside(make_record())
    spool.append([make_record()])
    spool.replay(lambda _records: None, most=1)
    assert len(_modes(var_dir)) >= 5
    assert set(_modes(var_dir).values()) == {"0o600"}, _modes(var_dir)


def test_backups_restores_and_exports_are_private(
    var_dir: Path, tmp_path: Path, now: datetime
) -> None:
    written = tmp_path / "written"
    written.mkdir()
    with closing(open_database(StoreSettings(var_dir=var_dir))) as database:
        export_to_file(
            database, Window(now - timedelta(1), now), Format.JSONL, written / "records.jsonl"
        )
    back_up(var_dir / "maskwatch.db", written / "copy")
    back_up_files(var_dir, written / "copy.files.tar")
    restore(written / "copy", var_dir / "maskwatch.db", force=True)
    assert set(_modes(tmp_path).values()) == {"0o600"}, _modes(tmp_path)


def test_a_start_closes_what_others_could_read_and_says_so(var_dir: Path, now: datetime) -> None:
    PictureStore(var_dir).put(PICTURE, b"a picture", "image/webp")
    open_database(StoreSettings(var_dir=var_dir)).close()
    for name in ("maskwatch.db-wal", "maskwatch.db-shm"):
        (var_dir / name).touch()
    of_maskwatch = [path for path in var_dir.rglob("*") if path.is_file()]
    of_somebody_else = var_dir / "notes.txt"
    of_somebody_else.touch()
    for path in of_maskwatch:
        path.chmod(0o644)
    with capture_logs() as said:
        open_database(StoreSettings(var_dir=var_dir)).close()
    [line] = [each for each in said if "could read" in str(each["event"])]
    assert line["files"] == len(of_maskwatch)
    assert stat.S_IMODE(of_somebody_else.stat().st_mode) == 0o666
    of_somebody_else.unlink()
    assert set(_modes(var_dir).values()) == {"0o600"}
    with capture_logs() as said:
        open_database(StoreSettings(var_dir=var_dir)).close()
    assert not [each for each in said if "could read" in str(each["event"])]


def test_links_are_not_followed(var_dir: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    (var_dir / "evidence").mkdir()
    (var_dir / "evidence" / "link").symlink_to(outside)
    assert not list(exposed_files(var_dir, None))
    assert close_to_others(var_dir, None).closed == ()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644


def test_a_file_system_without_locks_is_said_and_nothing_stands_in(
    var_dir: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure that this machine cannot have: a kernel or a mount without ``flock``."""

    def lacking(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    with closing(open_database(StoreSettings(var_dir=var_dir))) as database:
        monkeypatch.setattr("fcntl.flock", lacking)
        with pytest.raises(StoreUnavailable, match="not implemented"), database.write() as session:
            start_run(session, "scan", now)
        with pytest.raises(SpoolFailed, match="not implemented"):
            Spool(var_dir).append([make_record()])
        monkeypatch.undo()
