"""Notify: send what waits in the outbox; what cannot be sent waits longer each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from jobs.alerting.channels.mail import OutgoingMail, compose
from jobs.alerting.channels.transports import DeliveryFailed, Transport, transport_for
from jobs.alerting.report import clients_in, report_on
from jobs.context import JobContext, JobOutcome, phrase_count
from store.alerts.alerts import Event, claim_notification, mark_sent, postpone
from store.decisions.decisions import Kind, Scope, active_decisions
from store.tables.work_tables import AlertRow, NotificationRow

# Longer than the slowest mail server may take for all of its steps together.
_LEASE_SECONDS = 900.0
_FIRST_WAIT_SECONDS = 30
_LONGEST_WAIT_SECONDS = 3600
_MAX_PER_RUN = 100


@dataclass(frozen=True)
class NotifyResult:
    """How many notifications went out, and why each of the others did not."""

    deliveries: int
    failures: tuple[str, ...]


def run(context: JobContext) -> JobOutcome:
    """The job ``notify``.

    Raises:
        DeliveryFailed: at least one notification had to be postponed; none is lost.
    """
    result = notify(context, transport_for(context.settings))
    deliveries = phrase_count(result.deliveries, "notification")
    if result.failures:
        failure_count = len(result.failures)
        raise DeliveryFailed(
            f"{result.failures[0]} Sent {deliveries}, {failure_count} "
            f"{'waits' if failure_count == 1 else 'wait'}."
        )
    return JobOutcome(f"Sent {deliveries}.", result.deliveries)


def notify(context: JobContext, transport: Transport) -> NotifyResult:
    """Send all due notifications through one transport."""
    results = [_deliver(context, transport, notification) for notification in _claim_all(context)]
    failures = tuple(failure for failure in results if failure is not None)
    return NotifyResult(len(results) - len(failures), failures)


def wait_seconds(attempts: int) -> int:
    """How long to wait after a failed attempt: doubles from 30 seconds to an hour.

    >>> [wait_seconds(attempts) for attempts in (1, 2, 3, 50)]
    [30, 60, 120, 3600]
    """
    return min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS << min(max(attempts, 1) - 1, 10))


def _claim_all(context: JobContext) -> Iterator[NotificationRow]:
    for _ in range(_MAX_PER_RUN):
        with context.database.write() as session:
            notification = claim_notification(session, context.now, _LEASE_SECONDS)
        if notification is None:
            return
        yield notification


def _deliver(
    context: JobContext, transport: Transport, notification: NotificationRow
) -> str | None:
    """Send one notification, outside of any transaction; returns why it did not go out."""
    try:
        destination = transport.send(_mail(context, notification))
    except DeliveryFailed as error:
        return _postpone(context, notification, str(error))
    except Exception as error:  # noqa: BLE001 - one that cannot be told must not hold up the others
        sentence = f"Notification {notification.id} cannot be composed ({type(error).__name__})."
        return _postpone(context, notification, sentence)
    with context.database.write() as session:
        mark_sent(session, notification.id, transport.name, destination, context.now)
    return None


def _mail(context: JobContext, notification: NotificationRow) -> OutgoingMail:
    with context.database.read() as session:
        alert = session.get_one(AlertRow, notification.alert_id)
        blocks = {
            client: active[-1]
            for client in clients_in(alert)
            if (active := active_decisions(session, context.now, Scope.CLIENT, client, Kind.BLOCK))
        }
    event = Event(notification.event)
    report = report_on(alert, event, blocks, context.settings.dashboard.public_url())
    return compose(report, alert, context.settings, notification.created_at)


def _postpone(context: JobContext, notification: NotificationRow, sentence: str) -> str:
    until = context.now + timedelta(seconds=wait_seconds(notification.attempts))
    with context.database.write() as session:
        postpone(session, notification.id, sentence, until)
    return sentence
