"""Requests that were turned away at admission without a record of their own: counts alone.

They stand in the roll-ups, by kind of evidence and client, where nothing else writes them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from store.counts.period_counts import ERASED, OTHERS, ROLL_UP, select_turned_away, total
from store.counts.periods import Period, Resolution
from store.counts.roll_ups import Bucket, add_counts
from store.engine.locks import take_turn

Minute = tuple[EvidenceKind, str, int]
"""Kind, client, and where the minute begins, in seconds since 1970."""


def add_turned_away(session: Session, counts: Mapping[Minute, int]) -> None:
    """Add requests of some minutes to the roll-ups."""
    take_turn(session, ROLL_UP)
    buckets: Counter[Bucket] = Counter()
    for (kind, client, minute), number in counts.items():
        for resolution in Resolution:
            start = minute - minute % resolution
            buckets[resolution.value, kind.value, start, client, Verdict.REFUSE.value] += number
    add_counts(session, buckets)


@dataclass(frozen=True)
class RefusalCount:
    """Requests of one kind in a period.

    Attributes:
        clients: how many clients sent them; of a flood of names, those that were told apart.
    """

    kind: EvidenceKind
    requests: int
    clients: int


def count_turned_away(session: Session, period: Period) -> tuple[RefusalCount, ...]:
    """What was turned away in a period, most first."""
    counted = select_turned_away(period)
    rows = session.execute(
        select(counted.c.dimension, total(counted), func.count(counted.c.name.distinct())).group_by(
            counted.c.dimension
        )
    )
    counts = [RefusalCount(EvidenceKind(kind), *numbers) for kind, *numbers in rows]
    return tuple(sorted(counts, key=lambda each: -each.requests))


def count_floods(session: Session, since: datetime, client: str | None = None) -> dict[str, int]:
    """Requests too many by client, from the first minute on that began at or after a time."""
    begins = since + timedelta(minutes=1) - timedelta(microseconds=1)
    counted = select_turned_away(Period(begins, from_roll_ups=True), (EvidenceKind.FLOOD.value,))
    rows = session.execute(
        select(counted.c.name, total(counted))
        .where(
            counted.c.name.not_in((OTHERS, ERASED)),
            true() if client is None else counted.c.name == client,
        )
        .group_by(counted.c.name)
    )
    return {name: int(requests) for name, requests in rows}
