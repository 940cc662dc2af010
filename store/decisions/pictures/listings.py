"""Reads the decisions that list something of pictures, whatever it is: a patch, a perturbation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from sqlalchemy import ColumnElement, ScalarResult, and_, or_, select, true
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.decisions.decisions import BY_POLICY, Kind, Scope
from store.tables.work_tables import DecisionRow

_log = structlog.get_logger(__name__)
_MAX_DECISIONS = 100
Listed = TypeVar("Listed")
Read = Callable[[DecisionRow], Listed]


@dataclass(frozen=True)
class NewListing:
    """What a job put on the list lately.

    Attributes:
        request_ids: flagged requests whose pictures show it.
    """

    decision_id: int
    simulated: bool
    request_ids: tuple[str, ...]


def list_blocked(
    session: Session, scope: Scope, read: Read[Listed], now: datetime, most: int
) -> tuple[Listed, ...]:
    """What is blocked now, newest first; one that cannot be read is logged and left out."""
    active = and_(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))
    return tuple(_readable(_newest(session, scope, most, active), read))


def list_decided(
    session: Session, scope: Scope, read: Read[Listed], now: datetime, *, simulated: bool
) -> tuple[Listed, ...]:
    """What needs no second decision: blocked now, or revoked by a person at any time.

    Args:
        simulated: whether a simulated block is enough.
    """
    is_block = and_(DecisionRow.until > now, true() if simulated else ~DecisionRow.simulated)
    is_decided = or_(is_block, DecisionRow.revoked_at.is_not(None))
    return tuple(_readable(_newest(session, scope, _MAX_DECISIONS, is_decided), read))


def list_new(session: Session, scope: Scope, since: datetime, most: int) -> tuple[NewListing, ...]:
    """What a job listed at or after a time and nobody revoked, newest first."""
    by_a_job = DecisionRow.origin == BY_POLICY
    new = and_(by_a_job, DecisionRow.created_at >= since, DecisionRow.revoked_at.is_(None))
    return tuple(
        NewListing(row.id, row.simulated, tuple(map(str, row.evidence.get("request_ids", ()))))
        for row in _newest(session, scope, most, new)
    )


def _newest(
    session: Session, scope: Scope, most: int, condition: ColumnElement[bool]
) -> ScalarResult[DecisionRow]:
    return session.scalars(
        select(DecisionRow)
        .where(DecisionRow.scope == scope.value, DecisionRow.kind == Kind.BLOCK.value)
        .where(condition)
        .order_by(DecisionRow.id.desc())
        .limit(most)
    )


def _readable(rows: ScalarResult[DecisionRow], read: Read[Listed]) -> Iterator[Listed]:
    for row in rows:
        try:
            yield read(row)
        except MaskwatchError as error:
            _log.warning(f"a listed {row.scope} cannot be read", decision=row.id, why=str(error))
