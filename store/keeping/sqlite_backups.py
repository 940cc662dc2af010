"""Back up a SQLite file while others write, and put a backup in its place while nobody does."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import Timeout

from store.engine.faults import StoreUnavailable
from store.engine.files.private_files import private_lock
from store.engine.files.whole_files import sync, whole_path
from store.engine.schema.objects import SchemaChanged, check_file
from store.engine.schema.versions import require_known_revision
from store.engine.sqlite_engine import read_only_address
from store.engine.sqlite_health import full_look, revision_of
from store.keeping.backup_files import (
    BackupFailed,
    RestoreRefused,
    check_sum,
    create_backup_file,
    free_name,
)

# Where SQLite locks: whoever has a file in WAL mode open holds a shared lock on this range.
_SHARED_FIRST, _SHARED_SIZE = 0x4000_0002, 510


def back_up(source: Path, file: Path) -> None:
    """Copy the last committed state into one file, and check the copy.

    The copy is made in one read transaction. Writers go on; the write-ahead log grows meanwhile.

    Raises:
        BackupFailed: there is nothing to back up, or the file cannot be written.
        StoreDamaged: the copy, and so the database, is damaged.
    """
    if not source.is_file():
        raise BackupFailed(f"There is no database {source} yet: nothing is backed up.")
    with create_backup_file(file) as partial:
        try:
            _copy(source, partial)
        except sqlite3.Error as error:
            raise BackupFailed(f"{source} cannot be backed up to {file}: {error}.") from error
        full_look(partial)


def restore(file: Path, target: Path, *, force: bool) -> Path | None:
    """Put a backup in the place of the database.

    Returns:
        where the replaced file lies now, if there was one.

    Raises:
        RestoreRefused: the backup is not whole, of an unknown version, holds what Maskwatch did not
            make, the database is in use, or there is one already and ``force`` is not set.
    """
    check_sum(file)
    try:
        full_look(file)
    except StoreUnavailable as error:
        raise RestoreRefused(f"The backup {file} is not usable: {error}") from error
    require_known_revision(revision_of(file))
    try:
        check_file(file)
    except SchemaChanged as error:
        raise RestoreRefused(str(error)) from error
    there = target.exists() and target.stat().st_size > 0
    if there and not force:
        raise RestoreRefused(
            f"There is a database {target} already: --force replaces it and keeps it beside."
        )
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _nobody_else(target):
        return _put(file, target)


def _copy(source: Path, partial: Path) -> None:
    with (
        closing(sqlite3.connect(read_only_address(source), uri=True)) as old,
        closing(sqlite3.connect(partial)) as new,
    ):
        # All pages in one step: smaller steps start again whenever somebody has written in between.
        old.backup(new, pages=-1)
        # One file, readable from read-only media; the first process that opens it sets WAL again.
        new.execute("PRAGMA journal_mode=DELETE")


def _put(file: Path, target: Path) -> Path | None:
    try:
        with whole_path(target) as part:
            shutil.copyfile(file, part)
            # On disk before the old database goes away.
            sync(part)
            old_file = _set_aside(target)
    except OSError as error:
        raise RestoreRefused(f"{target} cannot be written: {error.strerror}.") from error
    return old_file


def _set_aside(target: Path) -> Path | None:
    """Move the database away, its write-ahead log with it: the log holds committed records."""
    if not target.exists():
        return None
    aside = free_name(target.with_name(f"{target.name}.before-restore"))
    target.rename(aside)
    for suffix in ("-wal", "-shm"):
        part = target.with_name(target.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


@contextmanager
def _nobody_else(target: Path) -> Iterator[None]:
    """Hold the writers' turn, and every lock of SQLite if there is a file.

    Raises:
        RestoreRefused: a process has the database open.
    """
    in_use = RestoreRefused(
        f"{target} is in use: stop `maskwatch up`, service, jobs and dashboard first."
    )
    try:
        with private_lock(f"{target}.lock", 0):
            if not target.exists():
                yield
                return
            with target.open("r+b") as handle:
                _lock_all(handle.fileno(), in_use)
                yield
    except Timeout as error:
        raise in_use from error


def _lock_all(descriptor: int, in_use: RestoreRefused) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
    except OSError as error:
        raise in_use from error
