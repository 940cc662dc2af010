"""What became of the pictures that were passed on to an upstream of late."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.verdict import Verdict
from store.requests.records import Stage
from store.requests.request_keys import arrived_since
from store.tables.request_tables import RequestRow

WINDOW = timedelta(minutes=15)
# The newest ones say enough, and a flood shall not make the job read for long.
_MAX_READ = 5_000
_ROUTE = "proxy"
_FAILED, _UNREAD, _NOT_PASSED_ON = "upstream_failed", "answer_not_read", "not_passed_on"
_BAD_GATEWAY, _FIRST_ERROR = 502, 500


class AnswerFate(StrEnum):
    """What became of a picture at the upstream."""

    GONE = "gone"
    """No connection, or no HTTP answer."""
    SLOW = "slow"
    """No answer in time, or no connection was free in time."""
    REFUSING = "refusing"
    """The upstream's own error, 500 or more."""
    UNREAD = "unread"
    """An answer that cannot be read as the preset says."""
    FINE = "fine"


class Record(Protocol):
    """The fields of a record that say it."""

    route: str
    stage: str
    verdict: str
    status: int
    reasons: list[str]


@dataclass(frozen=True)
class UpstreamAnswers:
    """Pictures by what became of them; those that were not passed on are left out."""

    fates: Counter[AnswerFate]

    @property
    def total(self) -> int:
        """All pictures that were passed on."""
        return self.fates.total()

    def share(self, fate: AnswerFate) -> float:
        """Those of one fate over all; 0 without any."""
        return self.fates[fate] / self.total if self.total else 0.0


def upstream_answers(session: Session, now: datetime) -> UpstreamAnswers:
    """The newest pictures of the last quarter of an hour."""
    columns = (
        RequestRow.route,
        RequestRow.stage,
        RequestRow.verdict,
        RequestRow.status,
        RequestRow.reasons,
    )
    newest = select(*columns).where(arrived_since(now - WINDOW))
    rows: Iterable[Record] = session.execute(
        newest.order_by(RequestRow.id.desc()).limit(_MAX_READ)
    ).all()
    fates = (find_fate(row) for row in rows)
    return UpstreamAnswers(Counter(fate for fate in fates if fate is not None))


def find_fate(record: Record) -> AnswerFate | None:
    """What a record says of the upstream; ``None`` if it says nothing."""
    reasons, is_refused = set(record.reasons), record.verdict == Verdict.REFUSE.value
    if record.route != _ROUTE or _NOT_PASSED_ON in reasons:
        return None
    if record.stage == Stage.PARSED.value:
        return AnswerFate.FINE
    if record.stage != Stage.GATE.value or (is_refused and _UNREAD not in reasons):
        return None
    if _FAILED in reasons:
        return AnswerFate.GONE if record.status == _BAD_GATEWAY else AnswerFate.SLOW
    # Of an answer that was refused because nobody could read it the status is ours.
    if record.status >= _FIRST_ERROR and not is_refused:
        return AnswerFate.REFUSING
    return AnswerFate.UNREAD if _UNREAD in reasons and _is_own(record) else AnswerFate.FINE


def _is_own(record: Record) -> bool:
    """Whether an answer was to hold a parse: one about a mistake of its client does not."""
    return record.status < 400 or record.verdict == Verdict.REFUSE.value
