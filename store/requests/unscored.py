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

_FETCHED = 100
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
    return _collect(cursor, len(names))


def _collect(cursor: DBAPICursor, width: int) -> UnscoredRequests:
    """All rows of a cursor; a hundred at a time, so that their numbers stay in the cache."""
    keys: list[int] = []
    sources: list[str | None] = []
    clients: list[int] = []
    parts = [np.empty((0, width))]
    while rows := cursor.fetchmany(_FETCHED):
        keys += [row[0] for row in rows]
        sources += [row[1] for row in rows]
        clients += [number_client(row[2]) for row in rows]
        parts.append(np.array([row[3:] for row in rows], dtype=np.float64))
    numbers = np.array(clients, np.int64)
    return UnscoredRequests(tuple(keys), tuple(sources), numbers, np.concatenate(parts))


@lru_cache(_CLIENTS_KEPT)
def number_client(client: str) -> int:
    """A number that is the same for the same client, anywhere: a scan keeps no million names.

    An IPv6 client is its /64: whoever has one address of it has all of them, and would be as many
    clients as pictures. Nobody can make a name with the number of another one.
    """
    name = network_of(client).encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big", signed=True)
