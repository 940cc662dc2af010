"""Read models of the blacklist page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import Session

from store.decisions.clients.client_decisions import conditions_on_client
from store.decisions.scopes import Kind, Scope
from store.tables.work_tables import DecisionRow


@dataclass(frozen=True)
class DecisionView:
    """A blacklist or allow-list entry."""

    id: int
    kind: Kind
    scope: Scope
    value: str
    scenario: str
    origin: str
    simulated: bool
    reason: str
    evidence: Mapping[str, Any]
    created_by: str
    created_at: datetime
    until: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    revoked_reason: str | None
    family: str | None = None
    model_digest: str | None = None

    def active(self, now: datetime) -> bool:
        """Whether it holds at a time."""
        return self.revoked_at is None and self.until > now


def list_active_decisions(
    session: Session, now: datetime, most: int | None = 500
) -> tuple[DecisionView, ...]:
    """Decisions that hold now, newest first."""
    statement = (
        select(DecisionRow)
        .where(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))
        .order_by(DecisionRow.created_at.desc(), DecisionRow.id.desc())
        .limit(most)
    )
    return tuple(view_decision(row) for row in session.scalars(statement))


def list_ended_decisions(
    session: Session, now: datetime, most: int = 100, before: int | None = None
) -> tuple[DecisionView, ...]:
    """Decisions that expired or were revoked, newest first; with a key, only older ones."""
    statement = (
        select(DecisionRow)
        .where(
            or_(DecisionRow.until <= now, DecisionRow.revoked_at.is_not(None)),
            true() if before is None else DecisionRow.id < before,
        )
        .order_by(DecisionRow.id.desc())
        .limit(most)
    )
    return tuple(view_decision(row) for row in session.scalars(statement))


def decisions_about(
    session: Session, client: str, content_sha256: str | None, most: int = 20
) -> tuple[DecisionView, ...]:
    """Decisions about a client, its network or an exact picture, ended too, newest first."""
    match = or_(*conditions_on_client(client))
    if content_sha256 is not None:
        exact = and_(DecisionRow.scope == Scope.CONTENT.value, DecisionRow.value == content_sha256)
        match = or_(match, exact)
    statement = select(DecisionRow).where(match).order_by(DecisionRow.id.desc()).limit(most)
    return tuple(view_decision(row) for row in session.scalars(statement))


def view_decision(row: DecisionRow) -> DecisionView:
    """What pages and commands show of a row."""
    return DecisionView(
        id=row.id,
        kind=Kind(row.kind),
        scope=Scope(row.scope),
        value=row.value,
        scenario=row.scenario,
        origin=row.origin,
        simulated=row.simulated,
        reason=row.reason,
        evidence=row.evidence,
        created_by=row.created_by,
        created_at=row.created_at,
        until=row.until,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        revoked_reason=row.revoked_reason,
        family=row.family,
        model_digest=row.model_digest,
    )
