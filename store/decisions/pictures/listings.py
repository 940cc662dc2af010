"""Decisions that list something of pictures, whatever it is: a patch, a perturbation."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from sqlalchemy import ColumnElement, ScalarResult, and_, or_, select, true
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.decisions.decisions import BY_POLICY
from store.decisions.scopes import Kind, Scope
from store.tables.work_tables import DecisionRow

_log = structlog.get_logger(__name__)
_MAX_DECISIONS = 100
Subject = TypeVar("Subject")


@dataclass(frozen=True, eq=False)
class Listed(Generic[Subject]):
    """Something on the list.

    Attributes:
        decision_id: the decision that put it there.
        subject: what pictures are held against.
        limit: from which value of its match on a picture shows it.
        until: when the decision ends.
        simulated: whether pictures that show it are only flagged.
    """

    decision_id: int
    subject: Subject
    limit: float
    until: datetime
    simulated: bool


@dataclass(frozen=True)
class NewListing:
    """What a job put on the list lately.

    Attributes:
        request_ids: flagged requests whose pictures show it.
    """

    decision_id: int
    simulated: bool
    request_ids: tuple[str, ...]


@dataclass(frozen=True)
class Listing(Generic[Subject]):
    """The list of one scope.

    Attributes:
        max_listed: how many are looked for, the newest ones.
        read: the subject and its limit, from the evidence of a decision. Raises a
            :class:`MaskwatchError` for evidence that is damaged.
    """

    scope: Scope
    max_listed: int
    read: Callable[[Mapping[str, object]], tuple[Subject, float]]

    def read_blocked(self, session: Session, now: datetime) -> tuple[Listed[Subject], ...]:
        """What is blocked now, newest first; one that cannot be read is logged and left out."""
        active = and_(DecisionRow.until > now, DecisionRow.revoked_at.is_(None))
        return tuple(self._readable(self._newest(session, active, self.max_listed)))

    def read_decided(
        self, session: Session, now: datetime, *, simulated: bool
    ) -> tuple[Listed[Subject], ...]:
        """What needs no second decision: blocked now, or revoked by a person at any time.

        Args:
            simulated: whether a simulated block is enough.
        """
        is_block = and_(DecisionRow.until > now, true() if simulated else ~DecisionRow.simulated)
        is_decided = or_(is_block, DecisionRow.revoked_at.is_not(None))
        return tuple(self._readable(self._newest(session, is_decided, _MAX_DECISIONS)))

    def read_new(self, session: Session, since: datetime) -> tuple[NewListing, ...]:
        """What a job listed at or after a time and nobody revoked, newest first."""
        by_a_job = DecisionRow.origin == BY_POLICY
        new = and_(by_a_job, DecisionRow.created_at >= since, DecisionRow.revoked_at.is_(None))
        return tuple(
            NewListing(row.id, row.simulated, tuple(map(str, row.evidence.get("request_ids", ()))))
            for row in self._newest(session, new, self.max_listed)
        )

    def _newest(
        self, session: Session, condition: ColumnElement[bool], most: int
    ) -> ScalarResult[DecisionRow]:
        return session.scalars(
            select(DecisionRow)
            .where(DecisionRow.scope == self.scope.value, DecisionRow.kind == Kind.BLOCK.value)
            .where(condition)
            .order_by(DecisionRow.id.desc())
            .limit(most)
        )

    def _readable(self, rows: ScalarResult[DecisionRow]) -> Iterator[Listed[Subject]]:
        for row in rows:
            try:
                subject, limit = self.read(row.evidence)
            except MaskwatchError as error:
                _log.warning(
                    f"a listed {row.scope} cannot be read", decision=row.id, why=str(error)
                )
            else:
                yield Listed(row.id, subject, limit, row.until, row.simulated)
