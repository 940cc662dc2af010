"""Counts over a period: from records, or from roll-ups and the records that came since.

A roll-up and the watermark that says how far it goes are read by one statement: each record is
counted once, whatever the job ``roll_up`` does meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    extract,
    func,
    literal,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from store.counts.periods import Period, Resolution, Span
from store.requests.records import Stage
from store.requests.request_keys import arrived_since, key_of
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import RollUpRow, SequenceRow

ROLL_UP = "roll_up"
"""The sequence whose last key is the newest record in the roll-ups."""

OTHERS, ERASED = "(others)", "(erased)"
"""Names that stand for several: the smallest of a closed bucket, and erased clients."""

TURNED_AWAY = tuple(
    kind.value
    for kind in (
        EvidenceKind.FLOOD,
        EvidenceKind.SERVICE,
        EvidenceKind.NO_ENTRY,
        EvidenceKind.MISTAKE,
    )
)
"""Dimensions of their own for refusals at admission that have no record, by kind of evidence."""


@dataclass(frozen=True)
class Dimension:
    """What requests are counted by.

    Attributes:
        name: as roll-ups call it.
        column: its value in a record.
        condition: the records that count.
    """

    name: str
    column: ColumnElement[Any]
    condition: ColumnElement[bool]


STAGE = Dimension("stage", RequestRow.stage.expression, true())
CLIENT = Dimension("client", RequestRow.client.expression, true())
MODEL = Dimension("model", RequestRow.segmenter.expression, RequestRow.segmenter.is_not(None))
# A record has the whole list, as JSON; PostgreSQL cannot group by it unless it is text.
REASON = Dimension(
    "reason", cast(RequestRow.reasons, Text), RequestRow.verdict != Verdict.PASS.value
)


def counts(
    session: Session, period: Period, dimension: Dimension, slice_seconds: int = Resolution.DAY
) -> Subquery:
    """Requests of a period by ``slice``, ``name`` and ``verdict``, in groups still to be summed.

    Args:
        slice_seconds: what ``slice`` is a multiple of, in seconds since 1970; no longer buckets
            are read.
    """
    parts = _parts(session, period, dimension, slice_seconds)
    if dimension is STAGE:
        parts += [
            _of_roll_ups(span, TURNED_AWAY, slice_seconds, literal(Stage.ADMISSION.value))
            for span in period.spans(_coarsest(slice_seconds))
        ]
    return union_all(*parts).subquery()


def select_turned_away(period: Period, dimensions: Sequence[str] = TURNED_AWAY) -> Subquery:
    """Requests without a record by ``dimension`` and ``name``, in groups still to be summed."""
    parts = [
        select(RollUpRow.dimension, RollUpRow.name, RollUpRow.requests).where(
            *_within(span, dimensions)
        )
        for span in period.spans()
    ]
    return union_all(*parts).subquery()


def total(groups: Subquery) -> ColumnElement[int]:
    """The sum of the groups; PostgreSQL would make it a decimal number."""
    return cast(func.sum(groups.c.requests), BigInteger)


def since_roll_up(session: Session, since: datetime) -> ColumnElement[bool]:
    """Records that arrived since a time and are not rolled up.

    The watermark stands in it twice: as a number, by which the database plans, and as what it is
    when the statement runs.
    """
    watermark = select(SequenceRow.last).where(SequenceRow.name == ROLL_UP)
    last_key = session.scalar(watermark) or 0
    return and_(
        RequestRow.id > max(last_key, key_of(since) - 1),
        RequestRow.id > func.coalesce(watermark.scalar_subquery(), 0),
        RequestRow.received_at >= since,
    )


def _of_records(
    condition: ColumnElement[bool], dimension: Dimension, slice_seconds: int
) -> Select[int, str, str, int]:
    start = find_slice_start(extract("epoch", RequestRow.received_at), slice_seconds).label("slice")
    name = dimension.column.label("name")
    return (
        select(start, name, RequestRow.verdict, func.count().label("requests"))
        .where(condition, dimension.condition)
        .group_by(start, name, RequestRow.verdict)
    )


def _parts(
    session: Session, period: Period, dimension: Dimension, slice_seconds: int
) -> list[Select[int, str, str, int]]:
    if not period.from_roll_ups:
        return [_of_records(arrived_since(period.since), dimension, slice_seconds)]
    spans = period.spans(_coarsest(slice_seconds))
    tail = since_roll_up(session, period.since)
    return [
        *(_of_roll_ups(span, (dimension.name,), slice_seconds) for span in spans),
        _of_records(tail, dimension, slice_seconds),
    ]


def _coarsest(slice_seconds: int) -> Resolution:
    return max(each for each in Resolution if slice_seconds % each == 0)


def _of_roll_ups(
    span: Span,
    dimensions: Sequence[str],
    slice_seconds: int,
    name: ColumnElement[str] | None = None,
) -> Select[int, str, str, int]:
    return select(
        find_slice_start(RollUpRow.start.expression, slice_seconds).label("slice"),
        (RollUpRow.name if name is None else name).label("name"),
        RollUpRow.verdict,
        RollUpRow.requests,
    ).where(*_within(span, dimensions))


def _within(span: Span, dimensions: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    start = RollUpRow.start.expression
    return (
        RollUpRow.resolution == span.resolution,
        RollUpRow.dimension.in_(dimensions),
        start >= span.start,
        true() if span.end is None else start < span.end,
    )


def find_slice_start(seconds: ColumnElement[Any], slice_seconds: int) -> ColumnElement[int]:
    """Where the slice of a time begins."""
    # A literal, not a parameter: PostgreSQL must see the same text in SELECT and GROUP BY.
    return cast(seconds - seconds % literal_column(str(int(slice_seconds))), BigInteger)
