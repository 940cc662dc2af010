"""Connections: one read scope, one write scope, for SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from threading import RLock

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.settings import StoreSettings

_WRITES = "maskwatch_writes"


class StoreUnavailable(MaskwatchError):
    """The database is away, locked or full."""

    retryable = True


class StoreMisconfigured(MaskwatchError):
    """The database URL cannot be used."""


class Database:
    """An engine with two scopes: ``read`` and ``write``.

    SQLite allows one writer at a time and has had a WAL-reset bug with several (before 3.51.3), so
    writers of all processes take turns through a file lock instead of meeting inside SQLite.
    """

    def __init__(self, engine: Engine, turn: FileLock | None) -> None:
        self.engine = engine
        self._turn = turn
        self._threads = RLock()

    @classmethod
    def open(cls, settings: StoreSettings) -> "Database":
        """Connect lazily; create the SQLite file's folder.

        Raises:
            StoreMisconfigured: the URL is no database URL, or the folder cannot be made.
        """
        try:
            url = make_url(settings.effective_database_url())
            if url.get_backend_name() == "sqlite":
                return cls._open_sqlite(Path(url.database or ""), settings.database_wait_seconds)
            wait = max(2, ceil(settings.database_wait_seconds))  # libpq knows no shorter one
            engine = create_engine(
                url,
                pool_pre_ping=True,
                pool_timeout=wait,
                connect_args={} if "connect_timeout" in url.query else {"connect_timeout": wait},
            )
            return cls(engine, None)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError):
            raise StoreMisconfigured(
                "The setting MASKWATCH_DATABASE_URL is not a database URL that Maskwatch knows: "
                "use postgresql+psycopg://user@host/name or sqlite:///path."
            ) from None

    @classmethod
    def _open_sqlite(cls, path: Path, wait_seconds: float) -> "Database":
        try:
            # Records name clients: what Maskwatch makes itself is nobody else's to read.
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreMisconfigured(
                f"The folder {path.parent} for the database cannot be made: {error.strerror}. "
                "Set MASKWATCH_VAR_DIR or MASKWATCH_DATABASE_URL to one this user may write to."
            ) from None
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": wait_seconds})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        lock = FileLock(f"{path}.lock", timeout=wait_seconds, poll_interval=0.005)
        return cls(engine, lock)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that is rolled back at the end.

        Raises:
            StoreUnavailable: the database cannot be reached.
        """
        with _translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed at the end, or rolled back if the block raises.

        Raises:
            StoreUnavailable: the database cannot be reached or stays locked.
        """
        with _translated(), self._my_turn():
            connection = self.engine.connect().execution_options(**{_WRITES: True})
            with (
                connection,
                Session(connection, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._threads.acquire(timeout=self._turn.timeout):
            raise Timeout(self._turn.lock_file)
        try:
            with self._turn:
                yield
        finally:
            self._threads.release()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout, Timeout) as error:
        raise StoreUnavailable(_sentence(error)) from error
    except DBAPIError as error:
        # A damaged SQLite file is a plain DatabaseError, none of its subclasses.
        damaged = type(error) is DatabaseError
        if error.connection_invalidated or damaged or _lacks_tables(error):
            raise StoreUnavailable(_sentence(error)) from error
        raise


def _sentence(error: Exception) -> str:
    text = str(getattr(error, "orig", error)).splitlines()[0]
    if isinstance(error, PoolTimeout):
        return "All connections to the database are in use; try again in a moment."
    if isinstance(error, Timeout) or "locked" in text:
        return "The database is locked by another program; close it or try again."
    if _lacks_tables(error):
        return "The database has no Maskwatch tables: run `maskwatch db upgrade`."
    return f"The database cannot be used ({text}); check MASKWATCH_DATABASE_URL and that it runs."


def _lacks_tables(error: Exception) -> bool:
    original = getattr(error, "orig", error)
    undefined_table = getattr(original, "sqlstate", None) == "42P01"
    return undefined_table or "no such table" in str(original)


def _prepare_sqlite(connection: SqliteConnection, _record: object) -> None:
    # The driver's own transaction handling starts transactions too late for a consistent read.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
