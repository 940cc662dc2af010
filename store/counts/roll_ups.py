"""Roll-ups: requests counted by minute, hour and day, each record exactly once.

Buckets come from when a request arrived. How far the counting has come is a key, and keys are
handed out in the order of commits: a record that is stored late has a new key and is counted then.
Counts and the key that they reach are written by one transaction.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Text,
    case,
    cast,
    delete,
    extract,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.counts.period_counts import (
    CLIENT,
    ERASED,
    MODEL,
    REASON,
    ROLL_UP,
    STAGE,
    TURNED_AWAY,
    find_slice_start,
)
from store.counts.periods import Resolution
from store.engine.locks import take_turn
from store.requests.request_keys import time_of
from store.tables.request_tables import RequestRow
from store.tables.roll_up_tables import ClientRow, RollUpRow, SequenceRow

KEEP_TIMES: Mapping[Resolution, timedelta] = {
    Resolution.MINUTE: timedelta(hours=48),
    Resolution.HOUR: timedelta(days=90),
}
"""How long buckets are kept; days are kept for ever."""

_KEY = ("resolution", "dimension", "start", "name", "verdict")
Bucket = tuple[int, str, int, str, str]
"""Resolution, dimension, start, name and verdict of a count."""


@dataclass
class _Activity:
    first: datetime
    last: datetime
    requests: int = 0
    bad: int = 0


@dataclass
class _Counts:
    """What a batch of records adds."""

    buckets: Counter[Bucket] = field(default_factory=Counter)
    clients: dict[str, _Activity] = field(default_factory=dict)


def roll_up(session: Session, now: datetime, most: int) -> int:
    """Add the oldest records that are not counted yet, and say how many records these were.

    Buckets that would be dropped at once are not made.
    """
    take_turn(session, ROLL_UP)
    make_marks(session)
    start = session.scalars(select(SequenceRow.last).where(SequenceRow.name == ROLL_UP)).one()
    batch = select(RequestRow.id).where(RequestRow.id > start).order_by(RequestRow.id).limit(most)
    number, end = session.execute(select(func.count(), func.max(batch.subquery().c.id))).one()
    if not number:
        return 0
    counts = _count(_group_records(session, start, end), now)
    add_counts(session, counts.buckets)
    _add_clients(session, counts.clients)
    _unmark(session, counts.buckets)
    session.execute(update(SequenceRow).where(SequenceRow.name == ROLL_UP).values(last=end))
    return int(number)


def read_roll_up_time(session: Session) -> datetime:
    """The time up to which every record is counted."""
    last_key = session.scalar(select(SequenceRow.last).where(SequenceRow.name == ROLL_UP))
    return time_of(last_key or 0)


def forget_client(session: Session, client: str) -> None:
    """Take a client's name out of the roll-ups; its requests stay counted, under no name.

    Its records must go in the same transaction, or those that are not counted yet bring it back.
    """
    take_turn(session, ROLL_UP)
    by_client = (CLIENT.name, *TURNED_AWAY)
    its_own = (RollUpRow.dimension.in_(by_client), RollUpRow.name == client)
    key = (RollUpRow.resolution, RollUpRow.dimension, RollUpRow.start)
    rows = select(*key, literal(ERASED), RollUpRow.verdict, RollUpRow.requests).where(*its_own)
    insert = _insert(session)(RollUpRow)
    session.execute(
        insert.from_select([*_KEY, "requests"], rows).on_conflict_do_update(
            index_elements=_KEY,
            set_={"requests": RollUpRow.requests + insert.excluded.requests},
        )
    )
    session.execute(delete(RollUpRow).where(*its_own))
    session.execute(delete(ClientRow).where(ClientRow.client == client))


def add_counts(session: Session, counts: Mapping[Bucket, int]) -> None:
    """Add to buckets, and make those that are not there yet."""
    # In the order of the table: pages are visited once, and two writers cannot lock each other out.
    rows = [
        dict(zip(_KEY, bucket, strict=True), requests=counts[bucket]) for bucket in sorted(counts)
    ]
    if not rows:
        return
    insert = _insert(session)(RollUpRow)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={"requests": RollUpRow.requests + insert.excluded.requests},
        ),
        rows,
    )


def name_fold_mark(resolution: Resolution) -> str:
    """The sequence that says before which bucket all are folded."""
    return f"folded_{resolution.value}"


def make_marks(session: Session) -> None:
    """Have the marks of how far counting and folding have come, from the first round on."""
    names = (ROLL_UP, *map(name_fold_mark, Resolution))
    session.execute(
        _insert(session)(SequenceRow).on_conflict_do_nothing(),
        [{"name": name, "last": 0} for name in names],
    )


def _unmark(session: Session, buckets: Iterable[Bucket]) -> None:
    """Have buckets that grew looked at again."""
    oldest: dict[int, int] = {}
    for resolution, _, start, _, _ in buckets:
        oldest[resolution] = min(start, oldest.get(resolution, start))
    for resolution, start in oldest.items():
        session.execute(
            update(SequenceRow)
            .where(
                SequenceRow.name == name_fold_mark(Resolution(resolution)), SequenceRow.last > start
            )
            .values(last=start)
        )


def _group_records(session: Session, after: int, until: int) -> Sequence[Any]:
    """Records of a range of keys, counted as finely as any dimension needs."""
    minute = find_slice_start(extract("epoch", RequestRow.received_at), Resolution.MINUTE).label(
        "minute"
    )
    by = (
        minute,
        RequestRow.client,
        RequestRow.stage,
        RequestRow.verdict,
        RequestRow.segmenter,
        cast(RequestRow.reasons, Text).label("reasons"),
    )
    return session.execute(
        select(
            *by,
            func.count().label("requests"),
            func.min(RequestRow.received_at).label("first"),
            func.max(RequestRow.received_at).label("last"),
        )
        .where(RequestRow.id > after, RequestRow.id <= until)
        .group_by(*by)
    ).all()


def _count(groups: Sequence[Any], now: datetime) -> _Counts:
    counts = _Counts()
    oldest = {each: each.start(now - keep_time) for each, keep_time in KEEP_TIMES.items()}
    for group in groups:
        for resolution in Resolution:
            start = group.minute - group.minute % resolution
            if start >= oldest.get(resolution, 0):
                for dimension, name in _names(group):
                    bucket = (resolution.value, dimension, start, name, group.verdict)
                    counts.buckets[bucket] += group.requests
        activity = counts.clients.setdefault(group.client, _Activity(group.first, group.last))
        activity.first, activity.last = (
            min(activity.first, group.first),
            max(activity.last, group.last),
        )
        activity.requests += group.requests
        activity.bad += group.requests * (group.verdict != Verdict.PASS.value)
    return counts


def _names(group: Any) -> Iterator[tuple[str, str]]:
    """What a group counts for, by dimension."""
    yield STAGE.name, group.stage
    yield CLIENT.name, group.client
    if group.segmenter is not None:
        yield MODEL.name, group.segmenter
    if group.verdict != Verdict.PASS.value:
        for reason in json.loads(group.reasons):
            yield REASON.name, reason


def _add_clients(session: Session, clients: Mapping[str, _Activity]) -> None:
    insert = _insert(session)(ClientRow)
    new, old = insert.excluded, ClientRow
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["client"],
            set_={
                "first_seen": case(
                    (new.first_seen < old.first_seen, new.first_seen), else_=old.first_seen
                ),
                "last_seen": case(
                    (new.last_seen > old.last_seen, new.last_seen), else_=old.last_seen
                ),
                "requests": old.requests + new.requests,
                "bad": old.bad + new.bad,
            },
        ),
        [
            {
                "client": client,
                "first_seen": activity.first,
                "last_seen": activity.last,
                "requests": activity.requests,
                "bad": activity.bad,
            }
            for client, activity in sorted(clients.items())
        ],
    )


def _insert(session: Session) -> Any:
    """The database's own INSERT, which knows conflicts."""
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
