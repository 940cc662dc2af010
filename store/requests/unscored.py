"""Requests that no outlier model has scored, in the order of their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from sqlalchemy import exists, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.orm import Session

from store.requests.client_names import network_of
from store.requests.records import Stage
from store.tables.request_tables import RequestRow, ScoreRow, features_table

_CLIENTS_KEPT = 100_000


@dataclass(frozen=True, eq=False)
class UnscoredRequests:
    """Some of them.

    Attributes:
        keys: primary keys, ascending.
        sources: what parsed each one's picture.
        clients: a number for each, see :func:`number_client`, ``(n,)``.
        rows: ``(n, features)`` float64; NaN where not measured.
    """

    keys: tuple[int, ...]
    sources: tuple[str | None, ...]
    clients: npt.NDArray[np.int64]
    rows: npt.NDArray[np.float64]


def unscored_requests(
    session: Session, names: Sequence[str], after_key: int, most: int
) -> UnscoredRequests:
    """The first parsed requests beyond a key that no model has scored, with these features."""
    own = (RequestRow.id, RequestRow.segmenter, RequestRow.client)
    statement = (
        select(*own, *(features_table.c[name] for name in names))
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(
            RequestRow.id > after_key,
            RequestRow.stage == Stage.PARSED.value,
            ~exists().where(ScoreRow.request_pk == RequestRow.id),
        )
        .order_by(RequestRow.id)
        .limit(most)
    )
    # The driver's own tuples: none of these columns needs SQLAlchemy's types.
    cursor = session.connection().execute(statement).cursor
    if cursor is None:
        raise TypeError("a query without rows")
    return _collect(cursor, np.empty((most, len(names))))


def _collect(cursor: DBAPICursor, rows: npt.NDArray[np.float64]) -> UnscoredRequests:
    """All rows of a cursor; one at a time, so that their numbers are made where the last ones were.

    Args:
        rows: for at most so many; what is in it does not matter.
    """
    keys: list[int] = []
    sources: list[str | None] = []
    clients: list[int] = []
    for row in iter(cursor.fetchone, None):
        rows[len(keys)] = row[3:]
        keys.append(row[0])
        sources.append(row[1])
        clients.append(number_client(row[2]))
    numbers = np.array(clients, np.int64)
    return UnscoredRequests(tuple(keys), tuple(sources), numbers, rows[: len(keys)])


@lru_cache(_CLIENTS_KEPT)
def number_client(client: str) -> int:
    """A number that is the same for the same client, anywhere: a scan keeps no million names.

    An IPv6 client is its /64: whoever has one address of it has all of them, and would be as many
    clients as pictures. Nobody can make a name with the number of another one.
    """
    name = network_of(client).encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)
