"""Connections: one read scope, one write scope, for SQLite and PostgreSQL alike."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from math import inf, isinf
from pathlib import Path
from threading import RLock

from filelock import FileLock, Timeout
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from store.engine import postgresql_engine as postgresql
from store.engine import sqlite_engine as sqlite
from store.engine.faults import (
    ReadTimedOut,
    StoreDamaged,
    StoreMisconfigured,
    StoreUnavailable,
    not_writable,
    translate_errors,
)
from store.engine.files.private_files import private_lock
from store.engine.places import check_place, folder_unusable
from store.settings import StoreSettings

__all__ = [
    "Database",
    "Limits",
    "ReadTimedOut",
    "StoreDamaged",
    "StoreMisconfigured",
    "StoreUnavailable",
]


@dataclass(frozen=True)
class Limits:
    """Seconds that things may take; infinite means no limit.

    Attributes:
        wait_seconds: for a lock that somebody else holds, and for a connection.
        read_seconds: one statement of a read.
        write_seconds: one statement of a write, on PostgreSQL.
    """

    wait_seconds: float
    read_seconds: float
    write_seconds: float


class Database:
    """Two scopes: ``read``, which cannot write, and ``write``.

    SQLite allows one writer at a time and has had a WAL-reset bug with several (before 3.51.3), so
    writers of all processes take turns through a file lock instead of meeting inside SQLite.

    Attributes:
        engine: of reads on SQLite, of everything on PostgreSQL.
        file: the SQLite file; ``None`` on PostgreSQL.
    """

    def __init__(self, engine: Engine, limits: Limits, file: Path | None = None) -> None:
        self.engine = engine
        self.file = file
        self._limits = limits
        self._writer = engine if file is None else sqlite.writer_engine(file, limits.wait_seconds)
        self._turn = None if file is None else _turn(file, limits.wait_seconds)
        self._threads = RLock()
        self._guard: Callable[[Session], None] | None = None

    @classmethod
    def open(cls, settings: StoreSettings, statement_seconds: float | None = None) -> "Database":
        """Connect lazily; create the SQLite file's folder.

        Args:
            statement_seconds: over the settings, for work that nobody waits for.

        Raises:
            SettingsError: the URL is no database URL that Maskwatch knows.
            StoreMisconfigured: as :func:`check_place` says.
        """
        wait = settings.store.database_wait_seconds
        limits = Limits(wait, settings.store.read_timeout_seconds, wait)
        if statement_seconds is not None:
            limits = Limits(wait, statement_seconds, statement_seconds)
        address = check_place(settings)
        if address.get_backend_name() == "sqlite":
            return cls._open_sqlite(Path(address.database or ""), limits)
        return cls(postgresql.postgresql_engine(address, wait), limits)

    @classmethod
    def _open_sqlite(cls, path: Path, limits: Limits) -> "Database":
        try:
            # Records name clients: what Maskwatch makes itself is nobody else's to read.
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise folder_unusable(path.parent, error) from None
        return cls(sqlite.reader_engine(path, limits.wait_seconds), limits, path)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    def guarded_by(self, guard: Callable[[Session], None]) -> "Database":
        """The same database, where what raises in ``guard`` undoes a write instead of ending it."""
        guarded = copy(self)
        guarded._guard = guard
        return guarded

    @contextmanager
    def read(self, seconds: float | None = None) -> Iterator[Session]:
        """A session on one consistent state that cannot write; it is rolled back at the end.

        Args:
            seconds: limit of one statement, over the usual one; infinite for none.

        Raises:
            ReadTimedOut: a statement took longer than that.
            StoreUnavailable: the database cannot be reached.
            ReadScopeWrites: the block tried to write.
        """
        engine = self._get_reader(self._limits.read_seconds if seconds is None else seconds)
        with translate_errors(self._place, read_only=True), _session(engine) as session:
            yield session

    @contextmanager
    def write(self, seconds: float | None = None) -> Iterator[Session]:
        """A session that is committed at the end, or rolled back if the block raises.

        Args:
            seconds: limit of one statement on PostgreSQL, over the usual one; infinite for none.

        Raises:
            StoreUnavailable: the database cannot be reached or stays locked.
        """
        engine = self._get_writer(self._limits.write_seconds if seconds is None else seconds)
        with (
            translate_errors(self._place, read_only=False),
            self._my_turn(self._limits.wait_seconds),
            _session(engine) as session,
            session.begin(),
        ):
            yield session
            if self._guard is not None:
                self._guard(session)

    def close(self) -> None:
        """Give the connections back; refresh SQLite's statistics if nobody writes just then."""
        if self._turn is not None and self._writer.pool.checkedin():  # type: ignore[attr-defined]
            with suppress(Exception):
                self._optimize()
        self._writer.dispose()
        self.engine.dispose()

    def _optimize(self) -> None:
        with self._my_turn(0), _session(self._get_writer(inf)) as session, session.begin():
            session.execute(text("PRAGMA optimize"))

    @property
    def _place(self) -> str:
        return str(self.file or "")

    def _get_reader(self, seconds: float) -> Engine:
        if self.file is not None:
            return self.engine.execution_options(
                **{sqlite.BEGIN: "BEGIN", sqlite.SECONDS: None if isinf(seconds) else seconds}
            )
        begin = postgresql.limits(
            read_only=True, statement_seconds=seconds, lock_seconds=self._limits.wait_seconds
        )
        return self.engine.execution_options(**{postgresql.BEGIN: begin})

    def _get_writer(self, seconds: float) -> Engine:
        if self.file is not None:
            return self._writer.execution_options(**{sqlite.BEGIN: "BEGIN IMMEDIATE"})
        begin = postgresql.limits(
            read_only=False, statement_seconds=seconds, lock_seconds=self._limits.wait_seconds
        )
        return self._writer.execution_options(**{postgresql.BEGIN: begin})

    @contextmanager
    def _my_turn(self, wait_seconds: float) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._threads.acquire(timeout=wait_seconds):
            raise Timeout(self._turn.lock_file)
        try:
            with self._hold_turn(self._turn, wait_seconds):
                yield
        finally:
            self._threads.release()

    @contextmanager
    def _hold_turn(self, turn: FileLock, wait_seconds: float) -> Iterator[None]:
        try:
            turn.acquire(timeout=wait_seconds)
        except Timeout:
            raise
        except OSError as error:
            raise not_writable(self._place, error.strerror or str(error)) from error
        try:
            yield
        finally:
            turn.release()


def _session(engine: Engine) -> Session:
    return Session(engine, expire_on_commit=False)


def _turn(file: Path, wait_seconds: float) -> FileLock:
    return private_lock(f"{file}.lock", wait_seconds, poll_seconds=0.005)
