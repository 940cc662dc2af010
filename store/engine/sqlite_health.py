"""How a SQLite file is: a bounded look at every start, a whole one when somebody asks."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path
from time import monotonic

from store.engine.faults import StoreDamaged, StoreUnavailable, damage, locked, not_writable
from store.engine.sqlite_engine import read_only_address, set_limit

# Before it, several writers could damage a write-ahead log when it was reset.
_SAFE_VERSION = (3, 51, 3)
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY_CODE = 0xFF
_MAX_FAULTS = 5
# Whoever closes the file last, or opens it first after a crash, keeps everybody out meanwhile: that
# takes a moment, but not where the system lets the process wait in the middle of it.
_LOCK_SECONDS = 60.0


def wal_reset_warning(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str | None:
    """What to say of a SQLite that has the WAL-reset bug; ``None`` if this one has not.

    >>> wal_reset_warning((3, 51, 3)) is None
    True
    """
    if version >= _SAFE_VERSION:
        return None
    return (
        f"SQLite {'.'.join(map(str, version))} has the WAL-reset bug of releases before 3.51.3; "
        "Maskwatch's writers take turns, which avoids it. Let no other program write to the file."
    )


def quick_look(file: Path, seconds: float) -> bool:
    """Look for damage for at most so long: header, schema, then the pages, as far as it comes.

    Returns:
        whether it came to the end.

    Raises:
        StoreDamaged: it found some, with what to do.
        StoreUnavailable: the file cannot be read.
    """
    with open_file(file, seconds) as connection:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return _run_check(connection, file, "quick_check(1)")


def full_look(file: Path) -> None:
    """Check every page, every index entry and every reference between tables.

    Raises:
        StoreDamaged: something is wrong, with what to do.
        StoreUnavailable: the file cannot be read.
    """
    with open_file(file, inf) as connection:
        _run_check(connection, file, f"integrity_check({_MAX_FAULTS})")
        violation = connection.execute("PRAGMA foreign_key_check").fetchone()
        if violation is not None:
            table, row, parent, _ = violation
            raise damage(str(file), f"row {row} of {table} refers to nothing in {parent}")


def revision_of(file: Path) -> str | None:
    """The schema revision of a file that nobody has to have open; ``None`` without tables.

    Raises:
        StoreDamaged: the file is damaged.
        StoreUnavailable: the file cannot be read.
    """
    with open_file(file, inf) as connection:
        statement = "SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'"
        if connection.execute(statement).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


@contextmanager
def open_file(file: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    """A connection that only reads and makes no file, for so many seconds.

    They are for its statements; a lock of somebody else is waited for before that.

    Raises:
        StoreUnavailable: the file cannot be read, is locked, or is damaged.
    """
    address = read_only_address(file)
    try:
        with closing(
            sqlite3.connect(address, uri=True, isolation_level=None, timeout=_LOCK_SECONDS)
        ) as connection:
            # Its first read takes the lock.
            connection.execute("PRAGMA schema_version")
            deadline = monotonic() + seconds
            set_limit(connection, lambda: deadline)
            yield connection
    except sqlite3.Error as error:
        raise _fault(error, file) from error


def _run_check(connection: sqlite3.Connection, file: Path, check: str) -> bool:
    """Whether a check came to its end; raises for what it found."""
    try:
        rows = connection.execute(f"PRAGMA {check}").fetchall()
    except sqlite3.Error as error:
        if _code(error) == sqlite3.SQLITE_INTERRUPT:
            return False
        raise
    answers = [str(row[0]).splitlines()[-1] for row in rows]
    if answers != ["ok"]:
        raise damage(str(file), "; ".join(answers[:_MAX_FAULTS]))
    return True


def _fault(error: sqlite3.Error, file: Path) -> StoreDamaged | StoreUnavailable:
    if _code(error) in _DAMAGED:
        return damage(str(file), str(error))
    if _code(error) == sqlite3.SQLITE_BUSY:
        return locked()
    return not_writable(str(file), str(error))


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
