"""The alert rule ``mail_refused``: a receiver of mail about alerts does not get it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Unit, UnitKind
from store.alerts.alerts import NO_TECHNIQUE, WARNING, Condition, apply_condition, open_alerts

MAIL_REFUSED = "mail_refused"


def tell_refusal(session: Session, recipient: str, sentence: str, now: datetime) -> None:
    """Open or refresh the alert of a receiver, so that pages and the other receivers name it."""
    summary = f"{recipient} does not get mail about alerts. {sentence}"
    apply_condition(session, _condition(recipient, summary, active=True), now, judge="notify")


def tell_acceptance(session: Session, recipient: str, now: datetime) -> None:
    """Resolve the alert of a receiver whose mail was taken."""
    summary = f"Mail to {recipient} was taken again."
    apply_condition(session, _condition(recipient, summary, active=False), now, judge="notify")


def resolve_former_recipients(session: Session, recipients: Sequence[str], now: datetime) -> None:
    """Resolve the alerts of those who are no receivers any more."""
    for recipient in _open_recipients(session):
        if recipient not in recipients:
            summary = f"{recipient} is no receiver of mail about alerts any more."
            condition = _condition(recipient, summary, active=False)
            apply_condition(session, condition, now, judge="notify")


def _open_recipients(session: Session) -> Iterator[str]:
    for alert in open_alerts(session, MAIL_REFUSED):
        yield str(alert.evidence["recipient"])


def _condition(recipient: str, summary: str, *, active: bool) -> Condition:
    return Condition(
        # An address may be longer than the column.
        fingerprint=f"{MAIL_REFUSED}:{sha256(recipient.encode()).hexdigest()[:32]}",
        rule=MAIL_REFUSED,
        severity=WARNING,
        active=active,
        value=float(active),
        threshold=0.0,
        summary=summary,
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={"recipient": recipient},
    )


RULE = AlertRule(
    code=MAIL_REFUSED,
    words="Mail refused",
    meaning="A receiver of mail about alerts does not get it.",
    unit=Unit(UnitKind.COUNT, "receiver"),
    firing=lambda alert: f"no mail goes to {alert.evidence.get('recipient')}",
    resolved=lambda alert: f"mail to {alert.evidence.get('recipient')} goes out",
    next_steps=(
        "Tell that person yourself about what fires: this mail does not reach them.",
        "Mend the address in MASKWATCH_MAIL_TO or the mailbox, then run `maskwatch doctor --send`.",
        "The alert resolves by itself with the next mail that is taken, or when the receiver is "
        "not in the settings any more.",
    ),
    runbook="mail_refused",
    judge="notify",
)
