"""What a step of the clock means for what follows the time of day."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from store.alerts.alerts import open_alerts
from store.alerts.outbox import Delivery
from store.tables.work_tables import NotificationRow

CLOCK_STEPPED = "clock_stepped"
_FAR_SECONDS = 3600.0


def may_run_ahead(session: Session) -> bool:
    """Whether a clock was put forward by an hour or more and nobody has looked at it yet."""
    return any(
        alert.acknowledged_at is None and alert.value >= _FAR_SECONDS
        for alert in open_alerts(session, CLOCK_STEPPED)
    )


def make_notifications_due(session: Session, now: datetime) -> None:
    """Let notifications be tried now that wait for a time which a wrong clock may have set."""
    session.execute(
        update(NotificationRow)
        .where(
            NotificationRow.state == Delivery.PENDING.value,
            NotificationRow.next_attempt_at > now,
        )
        .values(next_attempt_at=now)
    )
