"""The outbox: one row per event of an alert and receiver, claimed, sent, put off or refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from store.engine.locks import take_turn
from store.tables.work_tables import NotificationRow

# Nothing waits longer. Whatever is due later than that was written before the clock was set back.
MAX_WAIT_SECONDS = 3600


class Delivery(StrEnum):
    """State of a notification."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"


_WAITING = (Delivery.PENDING.value, Delivery.SENDING.value)


@dataclass(frozen=True)
class Claim:
    """A notification that one sender holds for a while.

    Attributes:
        attempts: how often it was claimed, this time included; tells one claim from the next.
    """

    id: int
    alert_id: int
    event: str
    recipient: str
    created_at: datetime
    attempts: int


def queue_notification(session: Session, alert_id: int, event: str, now: datetime) -> None:
    """Put an event of an alert into the outbox. Who receives it is settled when it is due."""
    session.add(_new_row(alert_id, event, None, now, now))


def address_notifications(session: Session, recipients: Sequence[str], now: datetime) -> None:
    """Give each receiver a row of its own for each event that is due.

    Taken out are rows without a receiver, and those that wait for one who is none any more: whoever
    has no row for their event yet gets one.

    Args:
        recipients: everybody who receives notifications now, each once.
    """
    is_astray = or_(
        NotificationRow.recipient.is_(None), NotificationRow.recipient.not_in(recipients)
    )
    astray = session.execute(
        delete(NotificationRow)
        .where(*_due(now), is_astray)
        .returning(NotificationRow.alert_id, NotificationRow.event, NotificationRow.created_at)
    ).all()
    for alert_id, event, created_at in sorted(set(astray)):
        has_row = select(NotificationRow.recipient).where(*_same_event(alert_id, event))
        known = set(session.scalars(has_row))
        session.add_all(
            _new_row(alert_id, event, recipient, created_at, now)
            for recipient in recipients
            if recipient not in known
        )
    session.flush()


def claim_notification(session: Session, now: datetime, lease_seconds: float) -> Claim | None:
    """Take the oldest due notification that has a receiver, for ``lease_seconds``.

    A sender that dies leaves it in ``sending``; when the lease ends it is due again.
    """
    due = (*_due(now), NotificationRow.recipient.is_not(None))
    candidate = session.scalars(
        select(NotificationRow.id)
        .where(*due)
        .order_by(NotificationRow.next_attempt_at, NotificationRow.id)
        .limit(1)
    ).one_or_none()
    if candidate is None:
        return None
    rows = session.execute(
        update(NotificationRow)
        .where(NotificationRow.id == candidate, *due)
        .values(
            state=Delivery.SENDING.value,
            attempts=NotificationRow.attempts + 1,
            next_attempt_at=now + timedelta(seconds=lease_seconds),
        )
        .returning(
            NotificationRow.id,
            NotificationRow.alert_id,
            NotificationRow.event,
            NotificationRow.recipient,
            NotificationRow.created_at,
            NotificationRow.attempts,
        )
    ).all()
    return Claim(**rows[0]._mapping) if len(rows) == 1 else None


def mark_sent(
    session: Session, claim: Claim, transport: str, destination: str, now: datetime
) -> None:
    """Record that a claimed notification went out, even if its lease has ended meanwhile."""
    rows = session.execute(
        update(NotificationRow)
        .where(NotificationRow.id == claim.id, NotificationRow.state != Delivery.SENT.value)
        .values(
            state=Delivery.SENT.value,
            transport=transport,
            destination=destination,
            last_error=None,
            sent_at=now,
        )
        .returning(NotificationRow.id)
    ).all()
    if rows:
        details = {"event": claim.event, "transport": transport, "destination": destination}
        subject = f"alert {claim.alert_id}"
        append(session, Entry(job("notify"), Action.NOTIFICATION_SENT, subject, details), now)


def postpone(session: Session, claim: Claim, error: str, until: datetime) -> None:
    """Record why a claimed notification did not go out and when to try again.

    Nothing happens if another sender has claimed it since: that one says how it ended.
    """
    session.execute(
        update(NotificationRow)
        .where(*_still_holds(claim))
        .values(state=Delivery.PENDING.value, last_error=error, next_attempt_at=until)
    )


def refuse(session: Session, claim: Claim, error: str, until: datetime) -> bool:
    """Record that the receiver of a claimed notification is refused for good.

    Where no other receiver was told of the event, or waits for it, it is postponed instead: an
    event is never given up before it has reached somebody.

    Returns:
        Whether it is given up.
    """
    take_turn(session, "outbox")
    others = exists().where(
        *_same_event(claim.alert_id, claim.event),
        NotificationRow.id != claim.id,
        NotificationRow.state != Delivery.REFUSED.value,
    )
    if not session.scalar(select(others)):
        postpone(session, claim, error, until)
        return False
    session.execute(
        update(NotificationRow)
        .where(*_still_holds(claim))
        .values(state=Delivery.REFUSED.value, last_error=error)
    )
    return True


def make_notifications_due(session: Session, now: datetime, recipient: str | None = None) -> None:
    """Let notifications that wait be tried now.

    Args:
        recipient: whose; by default everybody's, for a wrong clock may have set their times.
    """
    waiting = [
        NotificationRow.state == Delivery.PENDING.value,
        NotificationRow.next_attempt_at > now,
    ]
    if recipient is not None:
        waiting.append(NotificationRow.recipient == recipient)
    session.execute(update(NotificationRow).where(*waiting).values(next_attempt_at=now))


def _new_row(
    alert_id: int, event: str, recipient: str | None, created_at: datetime, now: datetime
) -> NotificationRow:
    return NotificationRow(
        alert_id=alert_id,
        event=event,
        recipient=recipient,
        state=Delivery.PENDING.value,
        created_at=created_at,
        next_attempt_at=now,
        attempts=0,
    )


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    latest = now + timedelta(seconds=MAX_WAIT_SECONDS)
    return (
        NotificationRow.state.in_(_WAITING),
        or_(NotificationRow.next_attempt_at <= now, NotificationRow.next_attempt_at > latest),
    )


def _same_event(alert_id: int, event: str) -> tuple[ColumnElement[bool], ...]:
    return NotificationRow.alert_id == alert_id, NotificationRow.event == event


def _still_holds(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """Each claim counts an attempt, so an equal count means that it is still the same claim."""
    return (
        NotificationRow.id == claim.id,
        NotificationRow.state == Delivery.SENDING.value,
        NotificationRow.attempts == claim.attempts,
    )
