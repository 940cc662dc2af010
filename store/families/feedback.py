"""Feedback: a person confirms or dismisses a request, an outlier or a family, and says why.

What is confirmed is learnt from no more; what is dismissed is learnt from as if it had passed; what
is withdrawn is as if nobody had said anything. What a person says of a family holds for the
requests that it has then: who joins a dismissed family later is judged anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.audit.audit_log import Action, Entry, append
from store.audit.reasons import read_reason
from store.engine.locks import take_turn
from store.families.families import NoFamily
from store.requests.record_store import CONFIRMED, DISMISSED
from store.tables.family_tables import FamilyMemberRow, FamilyRow, FeedbackRow
from store.tables.request_tables import RequestRow

_TURN = "families"
_CHUNK = 1000


class FeedbackError(MaskwatchError):
    """Feedback that cannot be taken."""


class Feedback(StrEnum):
    """What a person says."""

    CONFIRMED = CONFIRMED
    """It is an attack."""
    DISMISSED = DISMISSED
    """It is none."""
    WITHDRAWN = "withdrawn"
    """What was said is taken back; nothing is kept of it but in the audit."""


@dataclass(frozen=True)
class Said:
    """What a person said, and why.

    Attributes:
        who: name of the analyst, or of the account on the server.
        actor: as the audit table names them.
    """

    feedback: Feedback
    who: str
    reason: str
    actor: str


def judge_request(session: Session, request_id: str, said: Said, now: datetime) -> None:
    """Keep what a person says of one request.

    Raises:
        FeedbackError: there is no such request, or nothing to take back.
        ReasonError: no reason was given, or none that can be kept.
    """
    reason = read_reason(said.reason)
    key = session.scalar(select(RequestRow.id).where(RequestRow.request_id == request_id))
    if key is None:
        raise FeedbackError(f"There is no request {request_id}.")
    take_turn(session, _TURN)
    before = _keep(session, (key,), said, reason, None, now)
    if said.feedback is Feedback.WITHDRAWN and not before:
        raise FeedbackError(f"Nobody said anything of request {request_id}.")
    _tell(session, f"request {request_id}", said, reason, 1, now)


def judge_family(session: Session, family: int, said: Said, now: datetime) -> int:
    """Keep what a person says of a family and the requests that it has; how many these are.

    Raises:
        FeedbackError: the family became a part of another one, or there is nothing to take back.
        NoFamily: there is none of that number.
        ReasonError: no reason was given, or none that can be kept.
    """
    reason = read_reason(said.reason)
    take_turn(session, _TURN)
    row = session.get(FamilyRow, family)
    if row is None:
        raise NoFamily(family)
    if row.merged_into is not None:
        raise FeedbackError(f"Family {family} became a part of family {row.merged_into}.")
    is_judged = row.feedback is not None
    row.feedback = row.feedback_by = row.feedback_reason = row.feedback_at = None
    if said.feedback is not Feedback.WITHDRAWN:
        row.feedback, row.feedback_by = said.feedback.value, said.who
        row.feedback_reason, row.feedback_at = reason, now
    members = select(FamilyMemberRow.request_pk).where(FamilyMemberRow.family_id == family)
    keys = session.scalars(members).all()
    before = _keep(session, keys, said, reason, family, now)
    if said.feedback is Feedback.WITHDRAWN and not (before or is_judged):
        raise FeedbackError(f"Nobody said anything of family {family} or of its requests.")
    _tell(session, f"family {family}", said, reason, len(keys), now)
    return len(keys)


def read_feedback(session: Session, request_pk: int) -> FeedbackRow | None:
    """What was said last of a request."""
    return session.get(FeedbackRow, request_pk)


def _keep(
    session: Session,
    keys: Sequence[int],
    said: Said,
    reason: str,
    family: int | None,
    now: datetime,
) -> int:
    """Put what is said in the place of what was; of how many requests something was said."""
    before = 0
    for first in range(0, len(keys), _CHUNK):
        chunk = keys[first : first + _CHUNK]
        of_chunk = delete(FeedbackRow).where(FeedbackRow.request_pk.in_(chunk))
        before += len(session.scalars(of_chunk.returning(FeedbackRow.request_pk)).all())
        if said.feedback is Feedback.WITHDRAWN:
            continue
        values = {
            "feedback": said.feedback.value,
            "said_by": said.who,
            "reason": reason,
            "said_at": now,
            "family_id": family,
        }
        session.execute(insert(FeedbackRow), [{"request_pk": key, **values} for key in chunk])
    return before


def _tell(
    session: Session, subject: str, said: Said, reason: str, requests: int, now: datetime
) -> None:
    details = {"feedback": said.feedback.value, "reason": reason, "requests": requests}
    append(session, Entry(said.actor, Action.FEEDBACK_GIVEN, subject, details), now)
