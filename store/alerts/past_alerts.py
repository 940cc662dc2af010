"""Alerts of a time that is over: for the back-test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from store.tables.work_tables import AlertRow


@dataclass(frozen=True)
class PastAlert:
    """An alert about a client; ``None`` if it is about many."""

    rule: str
    client: str | None
    fired_at: datetime


def alerts_of(
    session: Session, rules: Sequence[str], since: datetime, until: datetime
) -> Sequence[PastAlert]:
    """Alerts of some rules that fired from one time to another."""
    return _alerts(
        session,
        AlertRow.rule.in_(rules),
        AlertRow.fired_at >= since,
        AlertRow.fired_at < until,
    )


def alerts_open_at(session: Session, rules: Sequence[str], moment: datetime) -> Sequence[PastAlert]:
    """Alerts of some rules that had fired before a time and were open then."""
    return _alerts(
        session,
        AlertRow.rule.in_(rules),
        AlertRow.fired_at < moment,
        or_(AlertRow.resolved_at.is_(None), AlertRow.resolved_at >= moment),
    )


def _alerts(session: Session, *conditions: ColumnElement[bool]) -> Sequence[PastAlert]:
    columns = (AlertRow.rule, AlertRow.evidence, AlertRow.fired_at)
    rows = session.execute(select(*columns).where(*conditions).order_by(AlertRow.id))
    return [PastAlert(rule, evidence.get("client"), at) for rule, evidence, at in rows]
