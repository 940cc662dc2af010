"""Read models of the families page: ten families instead of a thousand rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select, true
from sqlalchemy.orm import Session

from detectors.evidence.kinds import EvidenceKind
from detectors.families.members import Tie
from detectors.families.sentence import Life, SharedThing, describe_family, life_of
from detectors.verdict import Verdict
from store.families.families import find_family_row
from store.families.feedback import Feedback, read_feedback
from store.pages.decision_views import DecisionView, view_decision
from store.pages.traffic import RequestSummary, requests_of_keys
from store.requests.request_keys import key_of
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from store.tables.request_tables import RequestRow
from store.tables.work_tables import DecisionRow

_LOOKED_AT = 20
_MAX_DECISIONS, _MAX_MERGED = 20, 100


@dataclass(frozen=True)
class FamilyView:
    """A family as one line.

    Attributes:
        line: what its requests are and share.
        requests: that ever joined it; ``day_requests`` came within a day.
        example: a request of it that did not pass, if there is one.
        judged: what a person said of it last; ``feedback``: the same in a sentence.
        rank: why it stands where it does, if an order was learnt.
    """

    id: int
    line: str
    life: Life
    formed_at: datetime
    first_at: datetime
    last_at: datetime
    requests: int
    day_requests: int
    clients: int
    kinds: Mapping[EvidenceKind, int]
    shared: tuple[SharedThing, ...]
    example: RequestSummary | None
    judged: Feedback | None = None
    feedback: str | None = None
    rank: str | None = None


@dataclass(frozen=True)
class FamilyDetail:
    """A family with what belongs to it.

    Attributes:
        merged: younger families that became a part of it.
        requests: the newest of it.
        decisions: that name it, or one that became a part of it.
    """

    view: FamilyView
    merged: tuple[int, ...]
    requests: tuple[RequestSummary, ...]
    decisions: tuple[DecisionView, ...]


def list_families(
    session: Session, now: datetime, most: int, before: int | None = None
) -> tuple[FamilyView, ...]:
    """Families, those that grew last first; with the number of one, those behind it."""
    last = None if before is None else session.get(FamilyRow, before)
    behind = (
        true()
        if last is None
        else or_(
            FamilyRow.last_at < last.last_at,
            and_(FamilyRow.last_at == last.last_at, FamilyRow.id < last.id),
        )
    )
    rows = session.scalars(
        select(FamilyRow)
        .where(FamilyRow.merged_into.is_(None), behind)
        .order_by(FamilyRow.last_at.desc(), FamilyRow.id.desc())
        .limit(most)
    )
    return tuple(_view(session, row, now) for row in rows)


def view_families(session: Session, ids: Sequence[int], now: datetime) -> tuple[FamilyView, ...]:
    """Some families, in their order."""
    return tuple(_view(session, session.get_one(FamilyRow, number), now) for number in ids)


def newest_members(session: Session, family: int, most: int) -> Sequence[int]:
    """Keys of the newest requests of a family."""
    key = FamilyMemberRow.request_pk
    newest = select(key).where(FamilyMemberRow.family_id == family).order_by(key.desc())
    return session.scalars(newest.limit(most)).all()


def read_family(session: Session, family: int, now: datetime, most: int) -> FamilyDetail | None:
    """A family, or the one that it became a part of; ``None`` if there is none of that number."""
    row = find_family_row(session, family)
    while row is not None and row.merged_into is not None:
        row = session.get(FamilyRow, row.merged_into)
    if row is None:
        return None
    merged = _list_merged(session, row.id)
    names = [str(each) for each in (row.id, *merged)]
    decisions = session.scalars(
        select(DecisionRow)
        .where(DecisionRow.family.in_(names))
        .order_by(DecisionRow.id.desc())
        .limit(_MAX_DECISIONS)
    )
    return FamilyDetail(
        _view(session, row, now),
        merged,
        requests_of_keys(session, newest_members(session, row.id, most)),
        tuple(view_decision(each) for each in decisions),
    )


def find_family(session: Session, request_pk: int) -> int | None:
    """The family of a request, if it has one."""
    return session.scalar(
        select(FamilyMemberRow.family_id).where(FamilyMemberRow.request_pk == request_pk)
    )


def find_feedback(session: Session, request_pk: int) -> str | None:
    """What a person said last of a request, in a sentence."""
    row = read_feedback(session, request_pk)
    if row is None:
        return None
    return _say_feedback(row.feedback, row.said_by, row.said_at, row.reason)


def _say_feedback(
    feedback: str | None, who: str | None, at: datetime | None, reason: str | None
) -> str | None:
    if feedback is None or at is None:
        return None
    return f"{feedback.capitalize()} by {who} at {at:%Y-%m-%d %H:%M} UTC: {reason}"


def _list_merged(session: Session, family: int) -> tuple[int, ...]:
    """Families that merged into one, directly or through another, oldest first."""
    merged: list[int] = []
    level: Sequence[int] = [family]
    while level and len(merged) < _MAX_MERGED:
        level = session.scalars(select(FamilyRow.id).where(FamilyRow.merged_into.in_(level))).all()
        merged += level
    return tuple(sorted(merged))


def _view(session: Session, row: FamilyRow, now: datetime) -> FamilyView:
    kinds = {EvidenceKind(kind): number for kind, number in row.kinds.items()}
    shared = tuple(
        SharedThing(Tie(each["tie"]), each["value"], each["requests"]) for each in row.shared
    )
    return FamilyView(
        id=row.id,
        line=describe_family(kinds, row.clients, shared),
        life=life_of(row.last_at, now),
        formed_at=row.formed_at,
        first_at=row.first_at,
        last_at=row.last_at,
        requests=row.requests,
        day_requests=_count_since(session, row.id, now - timedelta(days=1)),
        clients=row.clients,
        kinds=kinds,
        shared=shared,
        example=_find_example(session, row.id),
        judged=None if row.feedback is None else Feedback(row.feedback),
        feedback=_say_feedback(row.feedback, row.feedback_by, row.feedback_at, row.feedback_reason),
    )


def _count_since(session: Session, family: int, since: datetime) -> int:
    count = (
        select(func.count())
        .select_from(FamilyMemberRow)
        .join(RequestRow, RequestRow.id == FamilyMemberRow.request_pk)
        .where(
            FamilyMemberRow.family_id == family,
            FamilyMemberRow.request_pk >= key_of(since),
            RequestRow.received_at >= since,
        )
    )
    return session.scalar(count) or 0


def _find_example(session: Session, family: int) -> RequestSummary | None:
    """The newest request that did not pass, of the newest few; else the newest."""
    requests = requests_of_keys(session, newest_members(session, family, _LOOKED_AT))
    telling = [each for each in requests if each.verdict is not Verdict.PASS]
    return next(iter([*telling, *requests]), None)
