"""What goes wrong with the database, as errors with a sentence."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import Timeout
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from detectors.errors import MaskwatchError

_UNDEFINED_TABLE, _UNDEFINED_COLUMN = "42P01", "42703"
_FORBIDDEN, _READ_ONLY = "42501", "25006"
_CANCELLED, _NO_LOCK = "57014", "55P03"
# Classes of PostgreSQL's states: values, constraints, dependent objects, names.
_OF_THE_SCHEMA = {"22", "23", "2B", "42"}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NOT_WRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_OF_THE_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_PRIMARY_CODE = 0xFF  # the rest of a SQLite code says where it happened


class StoreUnavailable(MaskwatchError):
    """The database is away, locked or full."""

    retryable = True


class StoreDamaged(StoreUnavailable):
    """The SQLite file is not what SQLite wrote."""


class StoreForbidden(StoreUnavailable):
    """The database's user lacks a right: a record waits in the spool, but no retry helps."""

    retryable = False


class TablesChanged(StoreUnavailable):
    """A table lacks a column: a record waits in the spool, but no retry helps."""

    retryable = False


class ReadTimedOut(StoreUnavailable):
    """A read took longer than it may; a narrower one may succeed."""


class ReadScopeWrites(MaskwatchError):
    """A read scope was asked to write: a fault in Maskwatch itself."""


class StoreMisconfigured(MaskwatchError):
    """There can be no database where the settings say."""


@contextmanager
def translate_errors(place: str, *, read_only: bool) -> Iterator[None]:
    """Turn what drivers raise into errors of this module; programming errors stay as they are.

    Args:
        place: the SQLite file, or nothing.
        read_only: whether the block only reads.
    """
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable(
            "All connections to the database are in use; try again in a moment."
        ) from error
    except Timeout as error:
        raise locked() from error
    except DBAPIError as error:
        fault = _fault(error, place, read_only)
        if fault is None:
            raise
        raise fault from error


def damage(place: str, symptom: str) -> StoreDamaged:
    """The error for a damaged SQLite file, with what to do."""
    return StoreDamaged(
        f"The SQLite file {place} is damaged ({symptom}): stop the processes and restore the last "
        "backup with `maskwatch db restore BACKUP --force`. Until then records go to the spool."
    )


def locked() -> StoreUnavailable:
    """The error for a database that somebody else holds for too long."""
    return StoreUnavailable("The database is locked by another program; close it or try again.")


def not_writable(place: str, why: str) -> StoreUnavailable:
    """The error for a file or folder that this user may only read."""
    return StoreUnavailable(
        f"{place} or its folder cannot be written ({why}): give this user the right to write "
        "there, or set MASKWATCH_VAR_DIR or MASKWATCH_DATABASE_URL to another place."
    )


def is_of_the_schema(error: Exception) -> bool:
    """Whether a statement met tables or rows that it does not expect, so that no retry helps."""
    if not isinstance(error, DBAPIError):
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state[:2] in _OF_THE_SCHEMA and state != _FORBIDDEN
    return _sqlite_code(error) in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT}


def first_line(error: Exception) -> str:
    """What a driver says, or the error itself, without statements and values."""
    text = str(getattr(error, "orig", None) or error)
    return (text.splitlines() or [""])[0].rstrip(".") or type(error).__name__


def _fault(error: DBAPIError, place: str, read_only: bool) -> MaskwatchError | None:
    if _sqlite_code(error):
        fault = _sqlite_fault(error, place, read_only)
    else:
        fault = _postgresql_fault(error, read_only)
    return fault or _other_fault(error)


def _sqlite_fault(error: DBAPIError, place: str, read_only: bool) -> MaskwatchError | None:
    code, text = _sqlite_code(error), first_line(error)
    if code == sqlite3.SQLITE_INTERRUPT:
        return _read_timeout()
    if code in _DAMAGED:
        return damage(place, text)
    if code in _OF_THE_DISK:
        # Where no page is left SQLite cannot say so: it calls that an I/O error.
        return StoreUnavailable(
            f"The disk of {place} is full or fails ({text}): make room there, then try again; "
            "`maskwatch doctor` says how much it has."
        )
    if code in _NOT_WRITABLE:
        # Without a statement it was the connection itself that could not be prepared.
        if read_only and error.statement and code == sqlite3.SQLITE_READONLY:
            return _read_scope_writes()
        return not_writable(place, text)
    return None


def _postgresql_fault(error: DBAPIError, read_only: bool) -> MaskwatchError | None:
    state = getattr(error.orig, "sqlstate", None)
    if state == _CANCELLED and read_only:
        return _read_timeout()
    if state == _CANCELLED:
        return StoreUnavailable("The database took too long for a write; try again in a moment.")
    if state == _NO_LOCK:
        return locked()
    if state == _READ_ONLY:
        return _read_scope_writes() if read_only else StoreUnavailable(_general_sentence(error))
    if state == _FORBIDDEN:
        return StoreForbidden(
            f"The database's user may not do this ({first_line(error)}): run "
            "deploy/postgres/roles.sql again, or `maskwatch db upgrade` as its owner."
        )
    return None


def _other_fault(error: DBAPIError) -> MaskwatchError | None:
    if _lacks_tables(error):
        return StoreUnavailable("The database has no Maskwatch tables: run `maskwatch db upgrade`.")
    if _lacks_column(error):
        return TablesChanged(
            f"The tables are not those that Maskwatch made ({first_line(error)}): `maskwatch db "
            "check` says what was changed; restore the last backup, or undo it by hand."
        )
    away = isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
    if not away and not error.connection_invalidated:
        return None
    if "locked" in first_line(error):
        return locked()
    return StoreUnavailable(_general_sentence(error))


def _read_timeout() -> ReadTimedOut:
    return ReadTimedOut(
        "The read took longer than MASKWATCH_READ_TIMEOUT_SECONDS: narrow the time window."
    )


def _read_scope_writes() -> ReadScopeWrites:
    return ReadScopeWrites("A read was about to write: report this as a fault of Maskwatch.")


def _general_sentence(error: DBAPIError) -> str:
    text = first_line(error)
    return f"The database cannot be used ({text}); check MASKWATCH_DATABASE_URL and that it runs."


def _lacks_tables(error: DBAPIError) -> bool:
    is_undefined = getattr(error.orig, "sqlstate", None) == _UNDEFINED_TABLE
    return is_undefined or "no such table" in str(error.orig)


def _lacks_column(error: DBAPIError) -> bool:
    is_undefined = getattr(error.orig, "sqlstate", None) == _UNDEFINED_COLUMN
    return is_undefined or "no such column" in str(error.orig)


def _sqlite_code(error: DBAPIError) -> int:
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    return code & _PRIMARY_CODE
