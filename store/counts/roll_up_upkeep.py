"""Roll-ups kept small: few names in closed buckets, and no bucket longer than pages need it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store.counts.period_counts import (
    CLIENT,
    MODEL,
    OTHERS,
    REASON,
    ROLL_UP,
    STAGE,
    TURNED_AWAY,
)
from store.counts.periods import Resolution
from store.counts.roll_ups import KEEP_TIMES, add_counts, make_marks, name_fold_mark
from store.engine.locks import take_turn
from store.tables.roll_up_tables import ClientRow, RollUpRow, SequenceRow

MAX_NAMES = 500
"""Names that a closed bucket keeps in each dimension."""

_CLOSED_FOR = timedelta(hours=1)
_CLIENT_KEEP_TIME = KEEP_TIMES[Resolution.HOUR]
_FOLDED = (CLIENT.name, REASON.name, *TURNED_AWAY)
_DROPPED = (*_FOLDED, STAGE.name, MODEL.name)
# A fold of a flood's bucket moves tens of thousands of rows: few at a time.
_MAX_BUCKETS = 4


def fold_names(session: Session, now: datetime, max_names: int = MAX_NAMES) -> int:
    """Put all but the largest names under one, in a few buckets that closed an hour ago.

    Says how many buckets; 0 when there is nothing left to do. A mark for each resolution says up
    to where that is so; counts that come late take it back.
    """
    take_turn(session, ROLL_UP)
    make_marks(session)
    number = 0
    for resolution in Resolution:
        end = resolution.start(now - _CLOSED_FOR)
        buckets = _list_full_buckets(session, resolution, end, max_names)
        for dimension, start in buckets:
            _fold(session, resolution, dimension, start, max_names)
        mark = buckets[-1][1] if len(buckets) == _MAX_BUCKETS else end
        session.execute(
            update(SequenceRow)
            .where(SequenceRow.name == name_fold_mark(resolution), SequenceRow.last < mark)
            .values(last=mark)
        )
        number += len(buckets)
    return number


def drop_old_counts(session: Session, now: datetime, most: int) -> int:
    """Delete the oldest counts that are kept no longer, about ``most`` of each kind."""
    number = 0
    for resolution, keep_time in KEEP_TIMES.items():
        for dimension in _DROPPED:
            old = (
                RollUpRow.resolution == resolution,
                RollUpRow.dimension == dimension,
                RollUpRow.start < resolution.start(now - keep_time),
            )
            oldest = select(RollUpRow.start).where(*old).order_by(RollUpRow.start).limit(most)
            last = session.scalar(select(func.max(oldest.subquery().c.start)))
            if last is not None:
                statement = delete(RollUpRow).where(*old, RollUpRow.start <= last)
                number += session.connection().execute(statement).rowcount
    return number


def drop_old_clients(session: Session, now: datetime, most: int) -> None:
    """Forget clients that were not seen for so long that no page shows them."""
    old = select(ClientRow.client).where(ClientRow.last_seen < now - _CLIENT_KEEP_TIME)
    some = session.scalars(old.order_by(ClientRow.last_seen).limit(most)).all()
    if some:
        session.execute(delete(ClientRow).where(ClientRow.client.in_(some)))


def _list_full_buckets(
    session: Session, resolution: Resolution, end: int, max_names: int
) -> list[tuple[str, int]]:
    """Dimension and start of the oldest closed buckets that have too many names."""
    mark = select(SequenceRow.last).where(SequenceRow.name == name_fold_mark(resolution))
    rows = session.execute(
        select(RollUpRow.dimension, RollUpRow.start)
        .where(
            RollUpRow.resolution == resolution,
            RollUpRow.dimension.in_(_FOLDED),
            RollUpRow.start >= session.scalars(mark).one(),
            RollUpRow.start < end,
            RollUpRow.name != OTHERS,
        )
        .group_by(RollUpRow.dimension, RollUpRow.start)
        .having(func.count(RollUpRow.name.distinct()) > max_names)
        .order_by(RollUpRow.start, RollUpRow.dimension)
        .limit(_MAX_BUCKETS)
    )
    return [(dimension, start) for dimension, start in rows]


def _fold(
    session: Session, resolution: Resolution, dimension: str, start: int, max_names: int
) -> None:
    conditions = (
        RollUpRow.resolution == resolution,
        RollUpRow.dimension == dimension,
        RollUpRow.start == start,
        RollUpRow.name != OTHERS,
    )
    largest = (
        select(RollUpRow.name)
        .where(*conditions)
        .group_by(RollUpRow.name)
        .order_by(func.sum(RollUpRow.requests).desc(), RollUpRow.name)
        .limit(max_names)
    )
    small = (*conditions, RollUpRow.name.not_in(session.scalars(largest).all()))
    sums = session.execute(
        select(RollUpRow.verdict, func.sum(RollUpRow.requests))
        .where(*small)
        .group_by(RollUpRow.verdict)
    ).all()
    session.execute(delete(RollUpRow).where(*small))
    add_counts(
        session,
        {
            (resolution.value, dimension, start, OTHERS, verdict): int(requests)
            for verdict, requests in sums
        },
    )
