"""Scans: what each has scored, and the selection of its outliers as one step.

A scan scores in chunks, each in a transaction of its own, and selects its outliers in a last one.
Killed anywhere between, it is open: its scores stand, none of them is an outlier yet, and the next
run goes on where it ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import Select, Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from detectors.outliers.false_discoveries import Selection
from store.engine.locks import take_turn
from store.models.scores import NewScores, add_scores
from store.requests.unscored import number_client
from store.tables.request_tables import RequestRow, ScoreRow
from store.tables.work_tables import ScanRow

# One a minute for a week.
_MAX_KEPT = 10_000
_TURN = "scan"
_SCORES = cast(Table, ScoreRow.__table__)


class ScanTaken(MaskwatchError):
    """Another process goes on with the same scan."""

    retryable = True

    def __init__(self) -> None:
        super().__init__("Another scan runs at the same time: the next one goes on where it ends.")


@dataclass(frozen=True)
class Scan:
    """An open scan; see :class:`store.tables.work_tables.ScanRow`."""

    id: int
    after_key: int
    through_key: int
    requests: int


@dataclass(frozen=True, eq=False)
class Scores:
    """P-values of scored requests.

    Attributes:
        keys: of the requests, ``(n,)``.
        p_values: ``(n,)``.
        calibration_rows: how many requests each was compared with, ``(n,)``.
        clients: a number for each, see :func:`store.requests.unscored.number_client`, ``(n,)``.
    """

    keys: npt.NDArray[np.int64]
    p_values: npt.NDArray[np.float64]
    calibration_rows: npt.NDArray[np.int64]
    clients: npt.NDArray[np.int64]

    def take(self, most: int) -> "Scores":
        """The first of them."""
        return Scores(*(values[:most] for values in vars(self).values()))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """All of them, one after the other; at least one part."""
        columns = zip(*(vars(part).values() for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))


def open_scan(session: Session) -> Scan | None:
    """The scan whose outliers are not selected yet."""
    row = session.scalars(
        select(ScanRow).where(ScanRow.decided_at.is_(None)).order_by(ScanRow.id)
    ).first()
    return None if row is None else _scan(row)


def last_scored_key(session: Session) -> int:
    """The key up to which every parsed request is scored; keys grow in the order of commits."""
    through = session.scalar(select(func.max(ScanRow.through_key)).where(~ScanRow.leaves_gap))
    if through is None:
        # Scores of before there were scans.
        former = select(ScoreRow.request_pk).where(ScoreRow.scan_id.is_(None))
        through = session.scalar(former.order_by(ScoreRow.request_pk.desc()).limit(1))
    return through or 0


def whole_scans(session: Session, after_key: int, before_key: int) -> tuple[int, int]:
    """Two keys, moved apart so that no scan lies across either."""
    across = [
        session.execute(
            select(ScanRow.after_key, ScanRow.through_key)
            .where(ScanRow.after_key < key, ScanRow.through_key >= key)
            .order_by(ScanRow.id.desc())
            .limit(1)
        ).first()
        for key in (after_key, before_key)
    ]
    first, last = across
    return (
        after_key if first is None else min(after_key, first.after_key),
        before_key if last is None else max(before_key, last.through_key + 1),
    )


def start_scan(session: Session, after_key: int, *, leaves_gap: bool, now: datetime) -> Scan:
    """Begin a scan of the requests beyond a key; the oldest scans are forgotten.

    Raises:
        ScanTaken: another one is open.
    """
    take_turn(session, _TURN)
    if open_scan(session) is not None:
        raise ScanTaken
    row = ScanRow(
        started_at=now,
        after_key=after_key,
        through_key=after_key,
        leaves_gap=leaves_gap,
        requests=0,
    )
    session.add(row)
    session.flush()
    forgotten = (ScanRow.id <= row.id - _MAX_KEPT, ScanRow.through_key < last_scored_key(session))
    session.execute(delete(ScanRow).where(*forgotten))
    return _scan(row)


def extend_scan(
    session: Session, scan: Scan, model_id: int, scores: NewScores, now: datetime
) -> Scan:
    """Add scores of a chunk, in the order of their keys; none is an outlier yet.

    Raises:
        ScanTaken: another process went on with it.
    """
    take_turn(session, _TURN)
    through_key, requests = int(scores.keys[-1]), scan.requests + len(scores.keys)
    _change(session, scan, through_key=through_key, requests=requests)
    add_scores(session, model_id, scan.id, scores, now)
    return Scan(scan.id, scan.after_key, through_key, requests)


def scan_scores(session: Session, scan: Scan) -> Scores:
    """What a scan has scored so far, in the order of the keys."""
    return _read_scores(
        session,
        _select_scores()
        .where(
            ScoreRow.request_pk > scan.after_key,
            ScoreRow.request_pk <= scan.through_key,
            ScoreRow.scan_id == scan.id,
        )
        .order_by(ScoreRow.request_pk),
    )


def earlier_scores(session: Session, scan: Scan, most: int) -> Scores:
    """Of the latest requests that other scans than this one have scored, the newest first.

    After a scan that left out older requests, some of them are newer than its own.
    """
    newest = _select_scores().where(ScoreRow.scan_id.is_distinct_from(scan.id))
    return _read_scores(session, newest.order_by(ScoreRow.request_pk.desc()).limit(most))


def _select_scores() -> Select[Any]:
    # Scores of before there were scans do not say it.
    sizes = func.coalesce(ScoreRow.calibration_rows, 0)
    columns: Sequence[Any] = (ScoreRow.request_pk, ScoreRow.p_value, sizes)
    return select(*columns, RequestRow.client).join(
        RequestRow, RequestRow.id == ScoreRow.request_pk
    )


def _read_scores(session: Session, statement: Select[Any]) -> Scores:
    cursor = session.connection().execute(statement).cursor
    # The driver's own tuples: none of these columns needs SQLAlchemy's types.
    rows: Sequence[Any] = [] if cursor is None else cursor.fetchall()
    keys, p_values, sizes, clients = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Scores(
        np.array(keys, np.int64),
        np.array(p_values, np.float64),
        np.array(sizes, np.int64),
        np.array([number_client(client) for client in clients], np.int64),
    )


def close_scan(
    session: Session,
    scan: Scan,
    scores: Scores,
    selection: Selection,
    explained: Sequence[Mapping[str, float]],
    rate: float,
    calibration_rows: int,
    now: datetime,
) -> None:
    """Mark the outliers of a scan and end it, all or nothing.

    Args:
        explained: the contributions of each outlier, in their order.

    Raises:
        ScanTaken: another process went on with it or ended it.
    """
    take_turn(session, _TURN)
    _change(
        session,
        scan,
        decided_at=now,
        false_discovery_rate=rate,
        calibration_rows=calibration_rows,
        is_promised=selection.is_promised,
        outliers=int(selection.outliers.sum()),
    )
    marks = [
        {"key": key, "q": q, "why": dict(contributions)}
        for key, q, contributions in zip(
            scores.keys[selection.outliers].tolist(),
            selection.q_values[selection.outliers].tolist(),
            explained,
            strict=True,
        )
    ]
    if marks:
        mark = (
            update(_SCORES)
            .where(_SCORES.c.request_pk == bindparam("key"), _SCORES.c.scan_id == scan.id)
            .values(outlier=True, q_value=bindparam("q"), contributions=bindparam("why"))
        )
        session.connection().execute(mark, marks)


def _change(session: Session, scan: Scan, **values: object) -> None:
    """Change an open scan if it stands as it was read."""
    mine = (
        ScanRow.id == scan.id,
        ScanRow.decided_at.is_(None),
        ScanRow.requests == scan.requests,
    )
    changed = session.execute(
        update(ScanRow).where(*mine).values(**values).returning(ScanRow.id)
    ).all()
    if len(changed) != 1:
        raise ScanTaken


def _scan(row: ScanRow) -> Scan:
    return Scan(row.id, row.after_key, row.through_key, row.requests)
