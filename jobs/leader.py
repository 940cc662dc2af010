"""Leadership: one scheduler per database, held by a lock that ends with its process."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.private_files import OWNER_ONLY

_LOCK_KEY = 0x6A6F6273


class AlreadyRunning(MaskwatchError):
    """Another scheduler works on this database."""


@contextmanager
def leadership(database: Database, var_dir: Path) -> Iterator[None]:
    """Be the only scheduler until the block ends.

    Raises:
        AlreadyRunning: another process is the leader.
    """
    if database.dialect == "postgresql":
        with _advisory_lock(database):
            yield
    else:
        with _file_lock(var_dir / "jobs.lock"):
            yield


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        lock = FileLock(path, timeout=0, mode=OWNER_ONLY).acquire()
    except Timeout:
        raise _already_running(f"the folder {path.parent}") from None
    with lock:
        yield


@contextmanager
def _advisory_lock(database: Database) -> Iterator[None]:
    # AUTOCOMMIT: an open transaction would keep the database from cleaning up behind the others.
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK_KEY}):
            raise _already_running("this database")
        try:
            yield
        finally:
            # A connection that broke has given the lock back already.
            with suppress(DBAPIError):
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK_KEY})


def _already_running(where: str) -> AlreadyRunning:
    return AlreadyRunning(
        f"Another `maskwatch jobs` is running for {where}: leave the work to it, or stop it first."
    )
