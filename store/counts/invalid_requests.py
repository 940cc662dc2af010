"""The invalid requests of a period: how many, and what the newest of them have in common."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.counts.period_counts import STAGE, counts, total
from store.counts.periods import Period
from store.requests.records import Stage
from store.requests.request_keys import arrived_since
from store.tables.request_tables import RequestRow

_MAX_READ = 5000


@dataclass(frozen=True)
class InvalidShare:
    """Requests of a period that did not pass, admission refusals left out of both numbers."""

    invalid: int
    total: int

    @property
    def share(self) -> float:
        """Invalid over total; 0 without traffic."""
        return self.invalid / self.total if self.total else 0.0


def invalid_share(session: Session, period: Period) -> InvalidShare:
    """How many requests of a period were refused by the gate or flagged by a rule."""
    groups = counts(session, period, STAGE)
    by = (groups.c.name, groups.c.verdict)
    rows = session.execute(select(*by, total(groups)).group_by(*by))
    return share_of((stage, verdict, count) for stage, verdict, count in rows)


def share_of(rows: Iterable[tuple[str, str, int]]) -> InvalidShare:
    """The share from counts by stage and verdict."""
    valid = invalid = 0
    for stage, verdict, count in rows:
        if stage != Stage.ADMISSION.value:
            valid += count * (verdict == Verdict.PASS.value)
            invalid += count * (verdict != Verdict.PASS.value)
    return InvalidShare(invalid, valid + invalid)


@dataclass(frozen=True)
class InvalidRequests:
    """The largest groups among the requests that did not pass, admission refusals left out.

    Attributes:
        reasons: the heaviest reason of each request, with counts, most frequent first.
        clients: who sent them, with counts, most frequent first.
        request_ids: the newest of them.
    """

    reasons: tuple[tuple[str, int], ...]
    clients: tuple[tuple[str, int], ...]
    request_ids: tuple[str, ...]


def invalid_requests(session: Session, period: Period, most: int) -> InvalidRequests:
    """Summarise the invalid requests of a period, at most ``most`` of each kind.

    In a flood only the newest thousands are looked at: they say who sends it and why it is refused.
    """
    rows = _newest(session, period)
    heaviest = Counter(row.reasons[0] if row.reasons else "no reason recorded" for row in rows)
    return InvalidRequests(
        reasons=_largest(heaviest, most),
        clients=_largest(Counter(row.client for row in rows), most),
        request_ids=tuple(row.request_id for row in rows[:most]),
    )


def _newest(session: Session, period: Period) -> list[Any]:
    kinds = [
        select(RequestRow.id, RequestRow.request_id, RequestRow.client, RequestRow.reasons)
        .where(
            RequestRow.verdict == verdict.value,
            arrived_since(period.since),
            RequestRow.stage != Stage.ADMISSION.value,
        )
        .order_by(RequestRow.id.desc())
        .limit(_MAX_READ)
        for verdict in (Verdict.FLAG, Verdict.REFUSE)
    ]
    rows = [row for kind in kinds for row in session.execute(kind)]
    return sorted(rows, key=lambda row: -row.id)


def _largest(totals: Counter[str], most: int) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(totals.items(), key=lambda entry: (-entry[1], entry[0]))[:most])
