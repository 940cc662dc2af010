"""Mail: an alert as an e-mail with a plain text and an HTML part."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from jobs.alerting.report import Report
from jobs.settings import JobSettings, MailGroup
from store.alerts.alerts import Event
from store.tables.work_tables import AlertRow

_TEMPLATES = Path(__file__).parent / "templates"
_TEST_TEXT = """\
Mail about alerts of Maskwatch arrives here.

Somebody sent this mail with `maskwatch doctor --send`. Nothing is wrong, and nothing is to be done.
"""


@dataclass(frozen=True)
class OutgoingMail:
    """A message with a name that is the same for the same event.

    Attributes:
        name: UTC timestamp, alert id and event; fit for a file name.
    """

    name: str
    message: EmailMessage


def compose(
    report: Report, alert: AlertRow, settings: JobSettings, created_at: datetime
) -> OutgoingMail:
    """Put a report into an envelope.

    Args:
        created_at: when the notification was queued; the mail's date.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = report.subject
    _address(message, settings.mail, created_at)
    message["Message-ID"] = message_id(alert, report.event, settings.mail.mail_from)
    if report.event is not Event.FIRING:
        # Mail programs then show all mails of one alert as one conversation.
        message["References"] = message_id(alert, Event.FIRING, settings.mail.mail_from)
    message.set_content(render("alert.txt.j2", report))
    message.add_alternative(render("alert.html.j2", report), subtype="html")
    return OutgoingMail(f"{created_at:%Y%m%dT%H%M%SZ}-{alert.id}-{report.event.value}", message)


def compose_test(settings: JobSettings, now: datetime) -> OutgoingMail:
    """A mail that tells nothing but that mail goes out."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "[Maskwatch] Test: mail about alerts arrives"
    _address(message, settings.mail, now)
    message["Message-ID"] = make_msgid(domain=_domain(settings.mail.mail_from))
    message.set_content(_TEST_TEXT)
    return OutgoingMail(f"{now:%Y%m%dT%H%M%SZ}-test", message)


def message_id(alert: AlertRow, event: Event, mail_from: str) -> str:
    """Equal for each attempt, so that a mail which was sent twice shows once."""
    name = f"maskwatch-{alert.id}-{event.value}-{alert.fired_at:%Y%m%dT%H%M%S}"
    return f"<{name}@{_domain(mail_from)}>"


def render(template: str, report: Report) -> str:
    """Fill a template; HTML ones escape every value."""
    return _environment().get_template(template).render(report=report)


def _address(message: EmailMessage, mail: MailGroup, date: datetime) -> None:
    """Sender, date and all receivers, so that each of them sees who else is told."""
    message["From"] = Address("Maskwatch", addr_spec=mail.mail_from)
    message["To"] = [Address(addr_spec=recipient) for recipient in mail.recipients]
    message["Date"] = format_datetime(date)
    message["Auto-Submitted"] = "auto-generated"


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
