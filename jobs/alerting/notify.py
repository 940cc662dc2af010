"""Notify: send what waits in the outbox; what cannot be sent waits longer each time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from jobs.alerting.channels.delivery_errors import (
    DeliveryFailed,
    RecipientDeferred,
    RecipientRefused,
)
from jobs.alerting.channels.mail import OutgoingMail, compose
from jobs.alerting.channels.transports import Transport, transport_for
from jobs.alerting.report import clients_in, report_on
from jobs.context import JobContext, JobOutcome
from store.alert_rules.mail_refused import (
    resolve_former_recipients,
    tell_acceptance,
    tell_refusal,
)
from store.alerts.alerts import Event
from store.alerts.outbox import (
    MAX_WAIT_SECONDS,
    Claim,
    Delivery,
    address_notifications,
    claim_notification,
    make_notifications_due,
    mark_sent,
    postpone,
    refuse,
)
from store.decisions.clients.client_decisions import decisions_on_client
from store.decisions.scopes import Kind
from store.engine.locks import take_turn
from store.phrases import phrase_count
from store.tables.work_tables import AlertRow

_log = structlog.get_logger(__name__)

# Longer than the slowest mail server may take for all of its steps together.
_LEASE_SECONDS = 900.0
_FIRST_WAIT_SECONDS = 30
# These take four hours. Greylisting ends within minutes.
_MAX_DEFERRALS = 11
_MAX_PER_RUN = 100


@dataclass(frozen=True)
class NotifyResult:
    """How many notifications went out, and why each of the others did not.

    Attributes:
        failures: a sentence for each that waits.
        refusals: a sentence for each that is given up.
    """

    deliveries: int
    failures: tuple[str, ...]
    refusals: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What became of all of them."""
        waits = "waits" if len(self.failures) == 1 else "wait"
        counts = (
            f"Sent {phrase_count(self.deliveries, 'notification')}",
            *([f"{len(self.failures)} {waits}"] if self.failures else []),
            *([f"{len(self.refusals)} refused"] if self.refusals else []),
        )
        return f"{', '.join(counts)}."


def run(context: JobContext) -> JobOutcome:
    """The job ``notify``.

    Raises:
        DeliveryFailed: at least one notification has to wait, or its receiver is refused.
    """
    result = notify(context, transport_for(context.settings))
    reasons = (*result.refusals, *result.failures)
    if reasons:
        raise DeliveryFailed(f"{reasons[0]} {result.sentence}")
    return JobOutcome(result.sentence, result.deliveries)


def notify(context: JobContext, transport: Transport) -> NotifyResult:
    """Send all due notifications through one transport."""
    outcomes, takers = list[tuple[Delivery, str]](), set[str]()
    for claim in _claim_all(context):
        outcome = _deliver(context, transport, claim)
        outcomes.append(outcome)
        if outcome[0] is Delivery.SENT:
            takers.add(claim.recipient)
    _hurry_mail_to(takers, context)
    return NotifyResult(
        sum(state is Delivery.SENT for state, _ in outcomes),
        tuple(sentence for state, sentence in outcomes if state is Delivery.PENDING),
        tuple(sentence for state, sentence in outcomes if state is Delivery.REFUSED),
    )


def _hurry_mail_to(recipients: set[str], context: JobContext) -> None:
    """Who lets a sender through takes all of its mail: what waits for them is due in the next run.

    Not in this one, in which what cannot be sent at all would be tried again and again.
    """
    if recipients:
        with context.database.write() as session:
            for recipient in sorted(recipients):
                make_notifications_due(session, context.now, recipient)


def wait_seconds(attempts: int) -> int:
    """How long to wait after a failed attempt: doubles from 30 seconds to an hour.

    >>> [wait_seconds(attempts) for attempts in (1, 2, 3, 50)]
    [30, 60, 120, 3600]
    """
    return min(MAX_WAIT_SECONDS, _FIRST_WAIT_SECONDS << min(max(attempts, 1) - 1, 10))


def _claim_all(context: JobContext) -> Iterator[Claim]:
    recipients = context.settings.mail.recipients
    with context.database.write() as session:
        take_turn(session, "alerts")
        resolve_former_recipients(session, recipients, context.now)
    for _ in range(_MAX_PER_RUN):
        with context.database.write() as session:
            # Each time anew, for a refusal queues mail to the other receivers.
            address_notifications(session, recipients, context.now)
            claim = claim_notification(session, context.now, _LEASE_SECONDS)
        if claim is None:
            return
        yield claim


def _deliver(context: JobContext, transport: Transport, claim: Claim) -> tuple[Delivery, str]:
    """Send one notification, outside of any transaction; returns how it ended and why."""
    try:
        destination = transport.send(_mail(context, claim), claim.recipient)
    except RecipientRefused as error:
        return _record_refusal(context, claim, str(error))
    except RecipientDeferred as error:
        is_lasting = claim.attempts >= _MAX_DEFERRALS
        return _record_failure(context, claim, str(error), tells_others=is_lasting)
    except DeliveryFailed as error:
        return _record_failure(context, claim, str(error))
    except Exception as error:  # noqa: BLE001 - one that cannot be told must not hold up the others
        sentence = f"Notification {claim.id} cannot be composed ({type(error).__name__})."
        return _record_failure(context, claim, sentence)
    with context.database.write() as session:
        take_turn(session, "alerts")
        mark_sent(session, claim, transport.name, destination, context.now)
        tell_acceptance(session, claim.recipient, context.now)
    return Delivery.SENT, destination


def _mail(context: JobContext, claim: Claim) -> OutgoingMail:
    with context.database.read() as session:
        alert = session.get_one(AlertRow, claim.alert_id)
        blocks = {
            # One that is enforced says more than one that is not.
            client: max(active, key=lambda block: (not block.simulated, block.id))
            for client in clients_in(alert)
            if (active := decisions_on_client(session, context.now, client, Kind.BLOCK))
        }
    report = report_on(alert, Event(claim.event), blocks, context.settings.dashboard.public_url())
    return compose(report, alert, context.settings, claim.created_at)


def _record_failure(
    context: JobContext, claim: Claim, sentence: str, *, tells_others: bool = False
) -> tuple[Delivery, str]:
    with context.database.write() as session:
        take_turn(session, "alerts")
        postpone(session, claim, sentence, _next_attempt(context, claim))
        if tells_others:
            tell_refusal(session, claim.recipient, sentence, context.now)
    return Delivery.PENDING, sentence


def _record_refusal(context: JobContext, claim: Claim, sentence: str) -> tuple[Delivery, str]:
    _log.error("receiver of mail refused", receiver=claim.recipient, why=sentence)
    with context.database.write() as session:
        take_turn(session, "alerts")
        is_final = refuse(session, claim, sentence, _next_attempt(context, claim))
        tell_refusal(session, claim.recipient, sentence, context.now)
    return Delivery.REFUSED if is_final else Delivery.PENDING, sentence


def _next_attempt(context: JobContext, claim: Claim) -> datetime:
    return context.now + timedelta(seconds=wait_seconds(claim.attempts))
