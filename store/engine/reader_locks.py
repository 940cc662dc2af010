"""Turns of readers and of what deletes: nothing is deleted while a long reading goes on.

Readers share; deleting takes every reader's turn for one batch at a time and never waits in the
line, so that no reader is held up for longer than a batch. A turn ends with the process that holds
it: it is a lock of a transaction on PostgreSQL and of an open file beside the database on SQLite.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from math import inf
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import text
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.files.private_files import OWNER_ONLY

_CLASS = 0x72656164
_POLL_SECONDS = 0.05
_NO_LIMITS = text("SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")


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
        StoreUnavailable: the database cannot be reached, or was away so that the turn was lost.
    """
    if database.dialect == "postgresql":
        with _transaction(database) as session:
            _ask(session, "pg_advisory_xact_lock_shared", reader)
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
        session = locks.enter_context(_transaction(database))
        readers = (r for r in Reader if not _ask(session, "pg_try_advisory_xact_lock", r))
        return next(readers, None)
    for reader in Reader:
        descriptor = locks.enter_context(_file(database, reader))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return reader
    return None


@contextmanager
def _transaction(database: Database) -> Iterator[Session]:
    """A transaction that holds turns and does nothing else.

    A lock of the session would stay behind in the connection of a pooler. Between two statements
    this transaction has no snapshot, so it does not keep the database from cleaning up.
    """
    with database.read(inf) as session:
        session.execute(_NO_LIMITS)
        yield session
        # Whoever lost the turn with its connection must not believe that it lasted.
        session.execute(text("SELECT 1"))


def _ask(session: Session, function: str, reader: Reader) -> object:
    # Without parameters: a statement with some keeps its snapshot until the next one.
    return session.scalar(text(f"SELECT {function}({_CLASS}, {reader.number})"))


@contextmanager
def _file(database: Database, reader: Reader) -> Iterator[int]:
    path = Path(f"{database.file}.{reader.name.lower()}.lock")
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, OWNER_ONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
