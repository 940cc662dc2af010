"""Proposals: blocks that a job may not make by itself, and what people answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from store.audit.reasons import read_reason
from store.decisions.decisions import DecisionError, NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.requests.client_names import network_of
from store.tables.work_tables import DecisionRow, ProposalRow

OPEN_FOR = timedelta(hours=24)
"""How long a proposal waits for an answer."""


class Answer(StrEnum):
    """What a person said."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


@dataclass(frozen=True)
class Proposal:
    """A block that waits for a person.

    Attributes:
        minutes: how long it would last, from when it is accepted.
        limit_reached: which limit a job may not go beyond by itself, one sentence.
    """

    id: int
    scope: Scope
    value: str
    scenario: str
    reason: str
    evidence: Mapping[str, Any]
    minutes: int
    limit_reached: str
    created_at: datetime
    expires_at: datetime
    answer: Answer | None
    answered_by: str | None
    family: str | None = None


def propose(session: Session, new: NewDecision, limit_reached: str, now: datetime) -> ProposalRow:
    """Append a proposal of a block; it waits for a day."""
    row = ProposalRow(
        scope=new.scope.value,
        value=new.value,
        scenario=new.scenario,
        reason=new.reason,
        evidence=dict(new.evidence),
        minutes=round((new.until - now).total_seconds() / 60),
        model_digest=new.model_digest,
        family=new.family,
        limit_reached=limit_reached,
        created_at=now,
        expires_at=now + OPEN_FOR,
    )
    session.add(row)
    session.flush()
    details = {"scope": row.scope, "value": row.value, "reason": row.reason, "why": limit_reached}
    entry = Entry(job(new.job), Action.BLOCK_PROPOSED, f"proposal {row.id}", details)
    append(session, entry, now)
    return row


def accept_proposal(
    session: Session, proposal_id: int, who: str, reason: str, origin: str, now: datetime
) -> DecisionRow:
    """Make the block that was proposed; it is enforced.

    Args:
        who: name of the analyst, or of the account on the server.
        origin: where the person decides.

    Raises:
        DecisionError: it was answered or has expired.
        ReasonError: no reason was given, or none that can be kept.
    """
    reason = read_reason(reason)
    row = _answer(session, proposal_id, Answer.ACCEPTED, who, reason, now)
    decision = add_decision(
        session,
        NewDecision(
            kind=Kind.BLOCK,
            scope=Scope(row.scope),
            value=row.value,
            scenario=row.scenario,
            origin=origin,
            reason=row.reason,
            created_by=who,
            until=now + timedelta(minutes=row.minutes),
            evidence={**row.evidence, "accepted_because": reason},
            model_digest=row.model_digest,
            family=row.family,
        ),
        now,
    )
    row.decision_id = decision.id
    return decision


def decline_proposal(
    session: Session, proposal_id: int, who: str, reason: str, actor: str, now: datetime
) -> None:
    """Say that nobody is to be blocked; what was done until now is not proposed again.

    Args:
        who: name of the analyst, or of the account on the server.
        actor: as the audit table names them.

    Raises:
        DecisionError: it was answered or has expired.
        ReasonError: no reason was given, or none that can be kept.
    """
    reason = read_reason(reason)
    row = _answer(session, proposal_id, Answer.DECLINED, who, reason, now)
    details = {"scope": row.scope, "value": row.value, "reason": reason}
    entry = Entry(actor, Action.PROPOSAL_DECLINED, f"proposal {row.id}", details)
    append(session, entry, now)


def list_open_proposals(session: Session, now: datetime, most: int = 100) -> tuple[Proposal, ...]:
    """Proposals that wait for an answer, newest first."""
    waiting = select(ProposalRow).where(_is_open(now))
    rows = session.scalars(waiting.order_by(ProposalRow.id.desc()).limit(most))
    return tuple(_view(row) for row in rows)


def open_values(session: Session, now: datetime) -> set[str]:
    """What the proposals that wait are about."""
    return set(session.scalars(select(ProposalRow.value).where(_is_open(now))))


def last_declined(session: Session, client: str) -> datetime | None:
    """When a person last declined to block a client."""
    return session.scalar(
        select(func.max(ProposalRow.answered_at)).where(
            ProposalRow.value == network_of(client), ProposalRow.answer == Answer.DECLINED.value
        )
    )


def _answer(
    session: Session, proposal_id: int, answer: Answer, who: str, reason: str, now: datetime
) -> ProposalRow:
    """Two people may answer at once: one row is changed, or none."""
    rows = session.execute(
        update(ProposalRow)
        .where(ProposalRow.id == proposal_id, _is_open(now))
        .values(answered_at=now, answered_by=who, answer=answer.value, answer_reason=reason)
        .returning(ProposalRow.id)
    ).all()
    row = session.get(ProposalRow, proposal_id, populate_existing=True)
    if len(rows) == 1 and row is not None:
        return row
    raise DecisionError(_say_why_closed(row, proposal_id))


def _say_why_closed(row: ProposalRow | None, proposal_id: int) -> str:
    if row is None:
        return f"There is no proposal {proposal_id}."
    if row.answered_at is None:
        return f"Proposal {proposal_id} expired at {row.expires_at:%Y-%m-%d %H:%M} UTC."
    return (
        f"{row.answered_by} {row.answer} proposal {proposal_id} at "
        f"{row.answered_at:%Y-%m-%d %H:%M} UTC ({row.answer_reason})"
    )


def _is_open(now: datetime) -> ColumnElement[bool]:
    return and_(ProposalRow.expires_at > now, ProposalRow.answered_at.is_(None))


def _view(row: ProposalRow) -> Proposal:
    return Proposal(
        id=row.id,
        scope=Scope(row.scope),
        value=row.value,
        scenario=row.scenario,
        reason=row.reason,
        evidence=row.evidence,
        minutes=row.minutes,
        limit_reached=row.limit_reached,
        created_at=row.created_at,
        expires_at=row.expires_at,
        answer=None if row.answer is None else Answer(row.answer),
        answered_by=row.answered_by,
        family=row.family,
    )
