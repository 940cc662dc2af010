"""Keys of requests: integers that grow with time, so that a stretch of time is a range of keys.

A key is at least the microseconds since 1970 at which its request arrived, and larger than every
key before it. Keys are handed out in the transaction that stores the records and in the order of
commits: whoever remembers the last key it saw has missed nothing, on both databases.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import SequenceRow

REQUESTS = "requests"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _hand_out() -> ReturningUpdate[int]:
    sequences = cast(Table, SequenceRow.__table__)
    latest: BindParameter[int] = bindparam("latest", type_=BigInteger)
    base = case((sequences.c.last < latest, latest), else_=sequences.c.last)
    return (
        update(sequences)
        .where(sequences.c.name == REQUESTS)
        .values(last=base + bindparam("count", type_=BigInteger))
        .returning(sequences.c.last)
    )


# Made once: making it takes longer than running it.
_HAND_OUT = _hand_out()


def key_of(moment: datetime) -> int:
    """The smallest key that a request of this time can have.

    >>> key_of(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000

    Raises:
        ValueError: the time has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("Timestamps must carry their time zone.")
    return (moment - _EPOCH) // _MICROSECOND


def time_of(key: int) -> datetime:
    """The latest time at which the request of a key can have arrived."""
    return _EPOCH + key * _MICROSECOND


def arrived_since(moment: datetime) -> ColumnElement[bool]:
    """Requests that arrived at or after a time, as a range of keys first.

    A record that was stored late, or after a clock had run ahead, has a larger key than its time
    says, never a smaller one.
    """
    return and_(RequestRow.id >= key_of(moment), RequestRow.received_at >= moment)


def last_key(session: Session) -> int:
    """The last key that was handed out."""
    return session.scalars(select(SequenceRow.last).where(SequenceRow.name == REQUESTS)).one()


def hand_out(session: Session, arrivals: Sequence[datetime]) -> range:
    """New keys, one for each arrival; the row stays locked until this transaction ends."""
    parameters = {"latest": key_of(max(arrivals)), "count": len(arrivals)}
    last = session.execute(_HAND_OUT, parameters).scalar_one()
    return range(last - len(arrivals) + 1, last + 1)
