"""SQLite connections: one kind that writes, one kind that cannot."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from store.configuration.database_address import file_address
from store.engine.files.private_files import make_private

BEGIN, SECONDS = "maskwatch_begin", "maskwatch_seconds"
_DEADLINE = "deadline"
# A look at the clock after so many steps of SQLite's machine: about a millisecond.
_STEPS = 20_000

# No memory-mapped reads, on purpose: there an I/O error is a SIGBUS that ends the process, here it
# is an error and the record goes to the spool. The kernel's page cache serves plain reads as well.
_EVERY = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
_WRITER = (
    # Index pages that every insert touches stay in memory. There is one writer for each process.
    "cache_size=-65536",
    # A log that grew while a long read held it is cut back to 64 MB.
    "journal_size_limit=67108864",
    # `PRAGMA optimize` at the end looks at a sample of each index, not at all of it.
    "analysis_limit=400",
)
_READER = ("cache_size=-8192", "query_only=ON")


def writer_engine(path: Path, wait_seconds: float) -> Engine:
    """The engine of write transactions; writers take turns, so it has one connection."""
    engine = create_engine(
        file_address(path.absolute()),
        connect_args={"timeout": wait_seconds},
        pool_size=1,
        max_overflow=0,
        pool_timeout=wait_seconds,
    )
    return _prepare_engine(engine, path, _EVERY + _WRITER)


def reader_engine(path: Path, wait_seconds: float) -> Engine:
    """The engine of reads: SQLite itself refuses to write through its connections."""
    engine = create_engine(file_address(path.absolute()), connect_args={"timeout": wait_seconds})
    event.listen(engine, "before_cursor_execute", _set_deadline)
    return _prepare_engine(engine, path, _EVERY + _READER)


def read_only_address(file: Path) -> str:
    """What SQLite itself opens with ``uri=True``: the file, which is neither changed nor made."""
    return f"{file.absolute().as_uri()}?mode=ro"


def until(deadline: Callable[[], float | None]) -> Callable[[], bool]:
    """A progress handler that interrupts SQLite once a point of the monotonic clock is past."""

    def is_over() -> bool:
        end = deadline()
        return end is not None and monotonic() > end

    return is_over


def set_limit(connection: sqlite3.Connection, deadline: Callable[[], float | None]) -> None:
    """Interrupt the statements of a connection at a deadline, in seconds of the monotonic clock."""
    connection.set_progress_handler(until(deadline), _STEPS)


def _prepare_engine(engine: Engine, path: Path, pragmas: tuple[str, ...]) -> Engine:
    def make(*_connection: Any) -> None:
        # SQLite's own log files take the mode of the file that they belong to.
        with suppress(OSError):  # SQLite will say better what is wrong
            make_private(path)

    def prepare(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        # The driver's own transaction handling starts transactions too late for a consistent read.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        set_limit(connection, lambda: record.info.get(_DEADLINE))

    event.listen(engine, "do_connect", make)
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))


def _set_deadline(connection: Connection, *_statement: Any) -> None:
    seconds = connection.get_execution_options().get(SECONDS)
    connection.info[_DEADLINE] = None if seconds is None else monotonic() + seconds
