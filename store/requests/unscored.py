"""Requests that no outlier model has scored, in the order of their keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from store.requests.records import Stage
from store.tables.request_tables import RequestRow, ScoreRow, features_table


@dataclass(frozen=True, eq=False)
class UnscoredRequests:
    """Some of them.

    Attributes:
        keys: primary keys, ascending.
        sources: what parsed each one's picture.
        rows: ``(n, features)`` float64; NaN where not measured.
    """

    keys: tuple[int, ...]
    sources: tuple[str | None, ...]
    rows: npt.NDArray[np.float64]


def unscored_requests(
    session: Session, names: Sequence[str], after_key: int, most: int
) -> UnscoredRequests:
    """The first parsed requests beyond a key that no model has scored, with these features."""
    statement = (
        select(RequestRow.id, RequestRow.segmenter, *(features_table.c[name] for name in names))
        .join(features_table, features_table.c.request_pk == RequestRow.id)
        .where(
            RequestRow.id > after_key,
            RequestRow.stage == Stage.PARSED.value,
            ~exists().where(ScoreRow.request_pk == RequestRow.id),
        )
        .order_by(RequestRow.id)
        .limit(most)
    )
    cursor = session.connection().execute(statement).cursor
    # The driver's own tuples: none of these columns needs SQLAlchemy's types.
    rows: Sequence[Any] = [] if cursor is None else cursor.fetchall()
    values = np.array([row[2:] for row in rows], dtype=np.float64).reshape(-1, len(names))
    return UnscoredRequests(tuple(row[0] for row in rows), tuple(row[1] for row in rows), values)
