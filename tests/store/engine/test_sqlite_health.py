"""Damage in a SQLite file is found, said, and survived."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from store.engine.database import Database, StoreDamaged, StoreUnavailable
from store.engine.sqlite_health import (
    full_look,
    open_file,
    quick_look,
    revision_of,
    wal_reset_warning,
)
from store.engine.start import open_database
from store.requests.record_store import add_record
from store.settings import StoreSettings
from tests.makers import make_record

_PAGE = 4096


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with some hundred records, all of them in the file itself."""
    database = open_database(StoreSettings(var_dir=tmp_path))
    with database.write() as session:
        for _ in range(200):
            add_record(session, make_record())
    database.close()
    return tmp_path / "maskwatch.db"


def _overwrite(file: Path, at: int, size: int) -> None:
    with file.open("r+b") as handle:
        handle.seek(at)
        handle.write(b"\xa5" * size)


def test_a_sound_file_is_sound(file: Path) -> None:
    assert quick_look(file, 60)
    full_look(file)
    assert revision_of(file) is not None


def test_a_look_without_time_says_that_it_did_not_come_to_the_end(file: Path) -> None:
    # SQLite asks for the time every 20,000 steps: a small file is through before that.
    assert quick_look(file, 60)
    assert quick_look(file, -1) in {True, False}


@pytest.mark.parametrize(
    ("at", "size"),
    [(0, 100), (100, 200), (20 * _PAGE, 30 * _PAGE)],
    ids=["header", "schema", "rows"],
)
def test_damage_is_named_with_the_command_that_helps(file: Path, at: int, size: int) -> None:
    _overwrite(file, at, size)
    for look in (lambda: quick_look(file, 60), lambda: full_look(file)):
        with pytest.raises(
            StoreDamaged, match=r"is damaged .*maskwatch db restore BACKUP"
        ) as caught:
            look()
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_short_is_damaged(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.truncate(file.stat().st_size // 2)
    with pytest.raises(StoreDamaged):
        full_look(file)


def test_a_row_that_refers_to_nothing_is_found_by_the_full_look_only(file: Path) -> None:
    # A plain connection does not look after references.
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO fingerprint_keys (key, request_pk) VALUES (1, 4711)")
    assert quick_look(file, 60)
    with pytest.raises(StoreDamaged, match="fingerprint_keys refers to nothing in fingerprints"):
        full_look(file)


def test_a_damaged_file_stops_the_start(file: Path) -> None:
    _overwrite(file, file.stat().st_size - 10 * _PAGE, 10 * _PAGE)
    settings = StoreSettings(var_dir=file.parent)
    with pytest.raises(StoreDamaged, match="maskwatch db restore") as caught:
        open_database(settings)
    assert caught.value.retryable
    open_database(settings.model_copy(update={"start_check_seconds": 0.0})).close()


def test_a_file_damaged_while_it_is_open_is_named_too(file: Path, now: datetime) -> None:
    database = Database.open(StoreSettings(var_dir=file.parent))
    _overwrite(file, 0, 100 * _PAGE)
    with pytest.raises(StoreDamaged, match="records go to the spool"), database.read() as session:
        session.connection()
    database.close()


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """The file is locked as by whoever closes it last: nobody else may read it."""
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        yield


def test_a_locked_file_is_waited_for_longer_than_the_driver_would(file: Path) -> None:
    with open_file(file, 1) as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (60_000,)


def test_a_file_that_stays_locked_is_said_to_be(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.engine.sqlite_health._LOCK_SECONDS", 0.0)
    with _held(file):
        for look in (lambda: quick_look(file, 60), lambda: full_look(file)):
            with pytest.raises(StoreUnavailable, match="locked by another program"):
                look()


@pytest.mark.parametrize(
    ("version", "has_it"), [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)]
)
def test_versions_with_the_wal_reset_bug_are_warned_of(
    version: tuple[int, ...], has_it: bool
) -> None:
    said = wal_reset_warning(version)
    assert (said is not None) is has_it
    if said is not None:
        assert "take turns" in said
