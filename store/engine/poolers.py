"""A pooler between Maskwatch and PostgreSQL: whether there is one, and what it drops."""

import shlex
from enum import Enum
from typing import Any

from sqlalchemy import Connection, text

from store.engine.database import Database
from store.engine.faults import StoreMisconfigured, translate_errors

_ATTEMPTS = 3
_SEARCH_PATH = "search_path="


class Pooling(Enum):
    """How connections reach PostgreSQL, as the end of a sentence."""

    NONE = "without a pooler"
    SESSIONS = "through a pooler that keeps a connection for each client"
    TRANSACTIONS = "through a pooler that shares connections between transactions"


def find_pooling(database: Database) -> Pooling:
    """Look which server process answers: poolers tell the client of one that does not exist.

    Raises:
        StoreUnavailable: the database cannot be reached.
    """
    with translate_errors("", read_only=True), database.engine.connect() as first:
        driver: Any = first.connection.driver_connection
        if _answering_process(first) == driver.info.backend_pid:
            return Pooling.NONE
        with database.engine.connect() as second:
            return Pooling.TRANSACTIONS if _are_shared(first, second) else Pooling.SESSIONS


def check_search_path(database: Database) -> None:
    """See that the URL's `options=-csearch_path=…` hold: PgBouncer can be told to swallow them.

    Raises:
        StoreMisconfigured: they do not, so that tables would be looked for in another schema.
        StoreUnavailable: the database cannot be reached.
    """
    wanted = _wanted_search_path(str(database.engine.url.query.get("options", "")))
    if wanted is None:
        return
    with database.read() as session:
        holds = session.scalar(text("SHOW search_path"))
    if str(holds).replace(" ", "") != wanted.replace(" ", ""):
        raise StoreMisconfigured(
            f"The pooler before the database drops the search_path of MASKWATCH_DATABASE_URL: set "
            f"it for the role instead, `ALTER ROLE … SET search_path = {wanted}`."
        )


def _wanted_search_path(options: str) -> str | None:
    words = [word.removeprefix("-c").strip() for word in shlex.split(options)]
    wanted = [word.removeprefix(_SEARCH_PATH) for word in words if word.startswith(_SEARCH_PATH)]
    return wanted[-1] if wanted else None


def _are_shared(first: Connection, second: Connection) -> bool:
    """Whether the second client gets what the first has just given back.

    Several times, for somebody else may have taken it.
    """
    return any(_answering_process(first) == _answering_process(second) for _ in range(_ATTEMPTS))


def _answering_process(connection: Connection) -> int:
    process: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    connection.rollback()
    return process
