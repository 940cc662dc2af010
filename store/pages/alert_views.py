"""Read models of the alerts page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, true
from sqlalchemy.orm import Session

from store.alerts.alerts import AlertState
from store.tables.work_tables import AlertRow, NotificationRow


@dataclass(frozen=True)
class NotificationView:
    """One attempt series to tell one receiver about an alert.

    Attributes:
        recipient: ``None`` before the first attempt, and for those of earlier versions.
    """

    event: str
    recipient: str | None
    state: str
    attempts: int
    transport: str | None
    destination: str | None
    last_error: str | None
    created_at: datetime
    next_attempt_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True)
class AlertView:
    """One alert with the notifications about it, oldest first."""

    id: int
    rule: str
    severity: str
    state: AlertState
    summary: str
    value: float
    threshold: float
    evidence: Mapping[str, Any]
    atlas: str
    owasp: str
    fired_at: datetime
    evaluated_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    notifications: tuple[NotificationView, ...] = field(default=())

    @property
    def firing(self) -> bool:
        """Whether the condition still holds."""
        return self.state is AlertState.FIRING


def latest_alerts(session: Session, most: int) -> tuple[AlertView, ...]:
    """Firing alerts first, critical ones on top, then the latest resolved ones."""
    alerts = firing_alerts(session, most)
    return (*alerts, *resolved_alerts(session, most - len(alerts)))


def firing_alerts(session: Session, most: int) -> tuple[AlertView, ...]:
    """What fires, critical ones on top, then the latest first."""
    critical_first = case((AlertRow.severity == "critical", 0), else_=1)
    rows = session.scalars(
        select(AlertRow)
        .where(AlertRow.state == AlertState.FIRING.value)
        .order_by(critical_first, AlertRow.fired_at.desc())
        .limit(most)
    ).all()
    return _views(session, rows)


def resolved_alerts(
    session: Session, most: int, before: int | None = None
) -> tuple[AlertView, ...]:
    """What is over, the latest first; with a key, only alerts that are older than that one."""
    rows = session.scalars(
        select(AlertRow)
        .where(
            AlertRow.state == AlertState.RESOLVED.value,
            true() if before is None else AlertRow.id < before,
        )
        .order_by(AlertRow.id.desc())
        .limit(most)
    ).all()
    return _views(session, rows)


def alert_view(session: Session, alert_id: int) -> AlertView | None:
    """One alert, however old; ``None`` if there is none with that id."""
    row = session.get(AlertRow, alert_id)
    return _views(session, [row])[0] if row is not None else None


def _views(session: Session, rows: Sequence[AlertRow]) -> tuple[AlertView, ...]:
    notifications: dict[int, list[NotificationView]] = {row.id: [] for row in rows}
    for row in session.scalars(
        select(NotificationRow)
        .where(NotificationRow.alert_id.in_(notifications))
        .order_by(NotificationRow.id)
    ):
        notifications[row.alert_id].append(_notification(row))
    return tuple(_view(row, tuple(notifications[row.id])) for row in rows)


def _view(row: AlertRow, notifications: tuple[NotificationView, ...]) -> AlertView:
    return AlertView(
        id=row.id,
        rule=row.rule,
        severity=row.severity,
        state=AlertState(row.state),
        summary=row.summary,
        value=row.value,
        threshold=row.threshold,
        evidence=row.evidence,
        atlas=row.atlas,
        owasp=row.owasp,
        fired_at=row.fired_at,
        evaluated_at=row.evaluated_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
        notifications=notifications,
    )


def _notification(row: NotificationRow) -> NotificationView:
    return NotificationView(
        event=row.event,
        recipient=row.recipient,
        state=row.state,
        attempts=row.attempts,
        transport=row.transport,
        destination=row.destination,
        last_error=row.last_error,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
    )
