"""What the tests of notifying share: alerts to evaluate, the outbox and the mails to look at."""

from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy import select

from jobs.context import JobContext
from store.alerts.alerts import Condition, apply_condition
from store.tables.work_tables import AlertRow, NotificationRow
from tests.mail_server import MailServer

ONCALL = "oncall@localhost"
ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
SMTP_SECONDS = 120  # The most that the setting takes.


def with_settings(context: JobContext, **changes: Any) -> JobContext:
    return replace(context, settings=context.settings.model_copy(update=changes))


def evaluate(context: JobContext, condition: Condition) -> None:
    with context.database.write() as session:
        apply_condition(session, condition, context.now)


def outbox(context: JobContext) -> list[NotificationRow]:
    with context.database.read() as session:
        return list(session.scalars(select(NotificationRow).order_by(NotificationRow.id)))


def later(context: JobContext, seconds: float) -> JobContext:
    return replace(context, now=context.now + timedelta(seconds=seconds))


def content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


SHARE_SUBJECT = "[Maskwatch] FIRING warning: invalid share 12.5 % (limit 5 %)"


def subjects(server: MailServer) -> list[str]:
    return [str(mail["Subject"]) for mail in server.mails]


def open_rules(context: JobContext) -> list[tuple[str, str]]:
    with context.database.read() as session:
        firing = select(AlertRow).where(AlertRow.state == "firing")
        alerts = session.scalars(firing.order_by(AlertRow.id))
        return [(alert.rule, alert.summary) for alert in alerts]


def states(context: JobContext, event: int = 0) -> dict[str | None, str]:
    """The state of each receiver of an event: of the first alert, the second, and so on."""
    rows = outbox(context)
    alert_id = sorted({row.alert_id for row in rows})[event]
    return {row.recipient: row.state for row in rows if row.alert_id == alert_id}
