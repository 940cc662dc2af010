"""Turns of readers and of what deletes: nothing is deleted while a long reading goes on.

Readers share; deleting takes every reader's turn for one batch at a time and never waits in the
line, so that no reader is held up for longer than a batch. A turn ends with the process that holds
it: it is a lock of the session on PostgreSQL and of an open file beside the database on SQLite.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.private_files import OWNER_ONLY

_CLASS = 0x72656164
_POLL_SECONDS = 0.05


class Reader(Enum):
    """Who reads for long: the number of its lock, and its name in a sentence."""

    SCAN = (1, "a scan")
    TRAINING = (2, "a training")
    EXPORT = (3, "an export")
    BACKUP = (4, "a backup")

    @property
    def number(self) -> int:
        """Of the lock."""
        return self.value[0]

    @property
    def title(self) -> str:
        """With its article."""
        return self.value[1]


class BeingRead(MaskwatchError):
    """Nothing can be deleted now."""

    retryable = True

    def __init__(self, reader: Reader) -> None:
        self.because = f"{reader.title} is reading the records"
        super().__init__(f"{self.because.capitalize()}: try again when it is done.")


@contextmanager
def lock_for_reading(database: Database, reader: Reader) -> Iterator[None]:
    """Let nothing be deleted until the block ends; waits for a batch that is being deleted.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    if database.dialect == "postgresql":
        with _session(database) as connection:
            _ask(connection, "pg_advisory_lock_shared", reader)
            yield
    else:
        with _file(database, reader) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield


@contextmanager
def lock_for_pruning(database: Database, patience_seconds: float = 0.0) -> Iterator[None]:
    """Be alone until the block ends, which should be after one batch.

    Args:
        patience_seconds: how long to look for a moment in which nobody reads.

    Raises:
        BeingRead: somebody reads.
        StoreUnavailable: the database cannot be reached.
    """
    give_up_at = monotonic() + patience_seconds
    with ExitStack() as locks:
        while (reader := _try(database, locks)) is not None:
            locks.close()
            if monotonic() >= give_up_at:
                raise BeingRead(reader)
            sleep(_POLL_SECONDS)
        yield


def _try(database: Database, locks: ExitStack) -> Reader | None:
    """Take the turns of all readers; or say which one has its own."""
    if database.dialect == "postgresql":
        connection = locks.enter_context(_session(database))
        readers = (r for r in Reader if not _ask(connection, "pg_try_advisory_lock", r))
        return next(readers, None)
    for reader in Reader:
        descriptor = locks.enter_context(_file(database, reader))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return reader
    return None


@contextmanager
def _session(database: Database) -> Iterator[Connection]:
    with database.read() as session:
        # AUTOCOMMIT: an open transaction would keep the database from cleaning up behind others.
        connection = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        try:
            yield connection
        finally:
            # A connection that broke has given its locks back already.
            with suppress(DBAPIError):
                connection.execute(text("SELECT pg_advisory_unlock_all()"))


def _ask(connection: Connection, function: str, reader: Reader) -> object:
    return connection.scalar(
        text(f"SELECT {function}(:class, :number)"),
        {"class": _CLASS, "number": reader.number},
    )


@contextmanager
def _file(database: Database, reader: Reader) -> Iterator[int]:
    path = Path(f"{database.file}.{reader.name.lower()}.lock")
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, OWNER_ONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
