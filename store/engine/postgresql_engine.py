"""PostgreSQL connections: limits in every transaction, signs of life, patience after a failure."""

from collections.abc import Callable
from math import ceil, isinf
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from store.engine.backoff import Backoff
from store.engine.faults import StoreUnavailable

BEGIN = "maskwatch_begin"
_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.1, 2.0
_MIN_IDLE_SECONDS = 60.0
# A host that vanished is noticed after a minute of silence, not after the kernel's two hours.
_KEEPALIVES = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# A pooler gives the next transaction to another session, which knows nothing of the statements
# that the driver has prepared in this one.
_NO_SESSION_STATE = {"prepare_threshold": None}


def postgresql_engine(url: URL, wait_seconds: float) -> Engine:
    """An engine whose connections are checked before use; what the URL says counts more."""
    wait = max(2, ceil(wait_seconds))  # libpq knows no shorter one
    options = {"connect_timeout": wait, **_KEEPALIVES, **_NO_SESSION_STATE}
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=wait,
        use_native_hstore=False,  # no column is one, so that no first connection asks for its type
        connect_args={name: value for name, value in options.items() if name not in url.query},
    )
    event.listen(engine, "begin", _begin)
    event.listen(
        engine, "do_connect", _connector(Backoff(_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS))
    )
    return engine


def limits(*, read_only: bool, statement_seconds: float, lock_seconds: float) -> str:
    """SQL that bounds one transaction; it leaves nothing behind in a connection that is shared."""
    idle_seconds = max(_MIN_IDLE_SECONDS, statement_seconds)
    parts = [
        f"SET LOCAL statement_timeout = {_milliseconds(statement_seconds)}",
        f"SET LOCAL lock_timeout = {_milliseconds(lock_seconds)}",
        f"SET LOCAL idle_in_transaction_session_timeout = {_milliseconds(idle_seconds)}",
    ]
    return "; ".join(["SET TRANSACTION READ ONLY", *parts] if read_only else parts)


def _milliseconds(seconds: float) -> int:
    """PostgreSQL's whole milliseconds; 0 is no limit there."""
    return 0 if isinf(seconds) else max(1, round(seconds * 1000))


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(BEGIN)
    if statement is not None:
        connection.exec_driver_sql(statement)


def _connector(backoff: Backoff) -> Callable[..., Any]:
    def connect(
        dialect: Dialect,
        _record: ConnectionPoolEntry,
        arguments: list[Any],
        options: dict[str, Any],
    ) -> Any:
        # Whoever serves does not wait each time for a host that is away: the record is spooled.
        if backoff.remaining_seconds():
            raise StoreUnavailable("The database was away a moment ago; try again in a moment.")
        try:
            connection = dialect.connect(*arguments, **options)
        except Exception:
            backoff.begin_pause()
            raise
        backoff.end_pause()
        return connection

    return connect
