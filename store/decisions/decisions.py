"""Decisions: who is blocked or allowed, until when, and who said so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, func, select, true, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.audit.actors import analyst, job
from store.audit.audit_log import Action, Entry, append
from store.engine.change_marks import Mark, move_mark
from store.tables.work_tables import DecisionRow

BY_POLICY = "policy"
"""Origin and author of what a job decides."""


class DecisionError(MaskwatchError):
    """A decision that cannot be made or changed."""


class Kind(StrEnum):
    """What a decision does."""

    BLOCK = "block"
    ALLOW = "allow"


class Scope(StrEnum):
    """What a decision speaks about."""

    CLIENT = "client"
    CONTENT = "content"
    PATCH = "patch"
    PERTURBATION = "perturbation"


@dataclass(frozen=True)
class NewDecision:
    """A decision to append.

    Attributes:
        value: the client (``ip:203.0.113.7``, ``key:acme``), or the SHA-256 of an exact picture,
            of a patch's pixels or of a perturbation's signature.
        scenario: the policy that led here, e.g. ``repeated_outliers``.
        origin: ``policy`` or ``analyst``.
        created_by: name of the analyst, or ``policy``.
        simulated: recorded and shown, but not enforced.
        job: which job applied the policy.
    """

    kind: Kind
    scope: Scope
    value: str
    scenario: str
    origin: str
    reason: str
    created_by: str
    until: datetime
    simulated: bool = False
    evidence: Mapping[str, object] = field(default_factory=dict)
    job: str = "decide"

    @property
    def actor(self) -> str:
        """Who decides, as the audit table names it."""
        return job(self.job) if self.origin == BY_POLICY else analyst(self.created_by)


def add_decision(session: Session, new: NewDecision, now: datetime) -> DecisionRow:
    """Append a decision; an ``allow`` revokes the active blocks of the same value with it.

    Raises:
        DecisionError: the end time is not in the future.
    """
    if new.until <= now:
        raise DecisionError("A decision must end in the future.")
    move_mark(session, Mark.DECISIONS)
    if new.kind is Kind.ALLOW:
        for block in active_decisions(session, now, new.scope, new.value, Kind.BLOCK):
            _end(session, block.id, new.created_by, f"Allowed: {new.reason}", now)
            _tell_of_end(session, block.id, new.actor, f"Allowed: {new.reason}", now)
    row = DecisionRow(
        kind=new.kind.value,
        scope=new.scope.value,
        value=new.value,
        scenario=new.scenario,
        origin=new.origin,
        simulated=new.simulated,
        reason=new.reason,
        evidence=dict(new.evidence),
        created_by=new.created_by,
        created_at=now,
        until=new.until,
    )
    session.add(row)
    session.flush()
    append(session, Entry(new.actor, Action.DECISION_MADE, _subject(row.id), _describe(row)), now)
    return row


def revoke(session: Session, decision_id: int, who: str, reason: str, now: datetime) -> None:
    """End a decision early.

    Args:
        who: name of the analyst.

    Raises:
        DecisionError: no reason was given, or the decision is not active any more.
    """
    if not reason.strip():
        raise DecisionError("Say why the decision is revoked.")
    move_mark(session, Mark.DECISIONS)
    _end(session, decision_id, who, reason.strip(), now)
    _tell_of_end(session, decision_id, analyst(who), reason.strip(), now)


def _end(session: Session, decision_id: int, who: str, reason: str, now: datetime) -> None:
    rows = session.execute(
        update(DecisionRow)
        .where(DecisionRow.id == decision_id, _active(now))
        .values(revoked_at=now, revoked_by=who, revoked_reason=reason)
        .returning(DecisionRow.id)
    ).all()
    if len(rows) != 1:
        raise DecisionError(f"Decision {decision_id} is not active any more.")


def _tell_of_end(
    session: Session, decision_id: int, actor: str, reason: str, now: datetime
) -> None:
    row = session.get_one(DecisionRow, decision_id)
    details = {"kind": row.kind, "scope": row.scope, "value": row.value, "reason": reason}
    append(session, Entry(actor, Action.DECISION_REVOKED, _subject(row.id), details), now)


def _subject(decision_id: int) -> str:
    return f"decision {decision_id}"


def _describe(row: DecisionRow) -> dict[str, object]:
    return {
        "kind": row.kind,
        "scope": row.scope,
        "value": row.value,
        "scenario": row.scenario,
        "simulated": row.simulated,
        "reason": row.reason,
        "until": row.until.isoformat(),
    }


def active_decisions(
    session: Session, now: datetime, scope: Scope, value: str, kind: Kind
) -> list[DecisionRow]:
    """Decisions on one value that hold now."""
    statement = select(DecisionRow).where(
        DecisionRow.scope == scope.value,
        DecisionRow.value == value,
        DecisionRow.kind == kind.value,
        _active(now),
    )
    return list(session.scalars(statement))


def simulated_blocks(session: Session, now: datetime) -> dict[str, DecisionRow]:
    """The first simulated block of each client, by policy, that nobody has revoked and that lasts.

    Every other block of these clients is newer.
    """
    statement = (
        select(DecisionRow)
        .where(
            DecisionRow.scope == Scope.CLIENT.value,
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.origin == BY_POLICY,
            DecisionRow.simulated,
            _active(now),
        )
        .order_by(DecisionRow.id.desc())
    )
    return {row.value: row for row in session.scalars(statement)}


def earlier_blocks(session: Session, client: str, *, simulated_too: bool) -> int:
    """How many blocks a client ever had that nobody revoked: durations escalate on repeat."""
    statement = select(DecisionRow.id).where(
        DecisionRow.scope == Scope.CLIENT.value,
        DecisionRow.value == client,
        DecisionRow.kind == Kind.BLOCK.value,
        DecisionRow.revoked_at.is_(None),
        true() if simulated_too else ~DecisionRow.simulated,
    )
    return len(session.scalars(statement).all())


def last_change(session: Session, client: str, *, simulated_too: bool) -> datetime | None:
    """When a decision on a client was last made or revoked; what it did before is dealt with.

    Args:
        simulated_too: whether making a simulated decision counts; revoking one always does.
    """
    is_counted = true() if simulated_too else ~DecisionRow.simulated
    made = case((is_counted, DecisionRow.created_at))
    creation, revocation = session.execute(
        select(func.max(made), func.max(DecisionRow.revoked_at)).where(
            DecisionRow.scope == Scope.CLIENT.value, DecisionRow.value == client
        )
    ).one()
    return max((moment for moment in (creation, revocation) if moment is not None), default=None)


def last_revocation(session: Session, client: str) -> datetime | None:
    """When a person last took back a decision on a client."""
    return session.scalar(
        select(func.max(DecisionRow.revoked_at)).where(
            DecisionRow.scope == Scope.CLIENT.value, DecisionRow.value == client
        )
    )


def _active(now: datetime) -> ColumnElement[bool]:
    return and_(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))
