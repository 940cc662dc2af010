"""Scores of requests on their way to the table: a scan adds a million of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.orm import Session

from store.tables.request_tables import ScoreRow

# The values of a row that differ from those of the row before, and those of all rows.
_OWN = ("request_pk", "score", "p_value", "calibrated_on", "calibration_rows")
_SHARED = ("model_id", "scan_id", "scored_at")
# So many rows go into one statement: SQLite then takes half of the time that it takes one by one.
_ROWS = 200


@dataclass(frozen=True, eq=False)
class NewScores:
    """One model's opinion of some requests; see :class:`store.tables.request_tables.ScoreRow`.

    Attributes:
        keys: of the requests, ``(n,)``.
        values: the scores, ``(n,)``.
        p_values: ``(n,)``.
        of_source: whether each was compared with requests of its source alone, ``(n,)``.
        calibration_rows: with how many each was compared, ``(n,)``.
    """

    keys: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    p_values: npt.NDArray[np.float64]
    of_source: npt.NDArray[np.bool_]
    calibration_rows: npt.NDArray[np.int64]

    def list_rows(self) -> list[tuple[object, ...]]:
        """List what differs from row to row."""
        compared = np.where(self.of_source, "source", "all")
        columns = (self.keys, self.values, self.p_values, compared, self.calibration_rows)
        return list(zip(*(column.tolist() for column in columns), strict=True))


def add_scores(
    session: Session, model_id: int, scan_id: int | None, scores: NewScores, now: datetime
) -> None:
    """Append scores of one model; a request that it has scored already keeps its first score.

    None of them is an outlier yet: see :func:`store.models.scans.close_scan`.
    """
    rows = scores.list_rows()
    if session.get_bind().dialect.name == "sqlite":
        # Past SQLAlchemy's types.
        time = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        _add_to_sqlite(session.connection(), (model_id, scan_id, time), rows)
    elif rows:
        shared: dict[str, object] = dict(zip(_SHARED, (model_id, scan_id, now), strict=True))
        shared |= {"outlier": False, "contributions": {}}
        values = [shared | dict(zip(_OWN, row, strict=True)) for row in rows]
        session.execute(postgresql_insert(ScoreRow).on_conflict_do_nothing(), values)


def _add_to_sqlite(
    connection: Connection, shared: tuple[object, ...], rows: list[tuple[object, ...]]
) -> None:
    for first in range(0, len(rows), _ROWS):
        part = rows[first : first + _ROWS]
        values = (*shared, *chain.from_iterable(part))
        connection.exec_driver_sql(_insert_into_sqlite(len(part)), values)


@lru_cache(_ROWS)
def _insert_into_sqlite(rows: int) -> str:
    """A statement for so many rows; what they share is given once, by its number."""
    shared = ", ".join(f"?{number + 1}" for number in range(len(_SHARED)))
    row = f"({shared}, 0, '{{}}', {', '.join('?' * len(_OWN))})"
    names = ", ".join((*_SHARED, "outlier", "contributions", *_OWN))
    return (
        f"INSERT INTO scores ({names}) "  # noqa: S608 - our names
        f"VALUES {', '.join([row] * rows)} ON CONFLICT DO NOTHING"
    )
