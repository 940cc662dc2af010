"""What ``maskwatch doctor`` says of mail: where alerts go; with ``--send``, whether they arrive."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from jobs.alerting.channels.delivery_errors import DeliveryFailed, RecipientDeferred
from jobs.alerting.channels.mail import OutgoingMail, compose_test
from jobs.alerting.channels.transports import FileTransport, Transport, transport_for
from jobs.settings import JobSettings
from maskwatch.commands.checks import Check, State
from store.configuration.report_groups import is_loopback
from store.phrases import phrase_count


def check_mail_settings(settings: JobSettings) -> Iterator[Check]:
    """Where alerts go, above all if nobody said where."""
    mail, transport = settings.mail, transport_for(settings)
    if isinstance(transport, FileTransport):
        sentence = f"MASKWATCH_SMTP_HOST is not set: alerts are files in {transport.place}."
        yield Check("mail", State.WARN, f"{sentence} Nobody is sent any.")
        return
    if "mail_to" not in mail.model_fields_set:
        sentence = f"MASKWATCH_MAIL_TO is not set: alerts go to {', '.join(mail.recipients)}."
        yield Check("mail", State.WARN, sentence)
    else:
        receivers = phrase_count(len(mail.recipients), "receiver")
        yield Check("mail", State.OK, f"Alerts go to {receivers} through {transport.place}.")
    url = settings.dashboard.public_url()
    if is_loopback(urlsplit(url).hostname or ""):
        advice = "only this machine reaches it; set MASKWATCH_DASHBOARD_URL"
        yield Check("links in mails", State.WARN, f"They lead to {url}: {advice}.")


def check_mail(settings: JobSettings, now: datetime) -> Iterator[Check]:
    """Send a test mail to each receiver and say what the server answered."""
    transport, mail = transport_for(settings), compose_test(settings, now)
    for recipient in settings.mail.recipients:
        yield _check_recipient(transport, mail, recipient)


def _check_recipient(transport: Transport, mail: OutgoingMail, recipient: str) -> Check:
    name = f"mail to {recipient}"
    try:
        destination = transport.send(mail, recipient)
    except RecipientDeferred as error:
        return Check(name, State.WARN, f"{error} Alerts are sent again; try this in ten minutes.")
    except DeliveryFailed as error:
        return Check(name, State.FAIL, str(error))
    if isinstance(transport, FileTransport):
        sentence = f"No mail server is set (MASKWATCH_SMTP_HOST): it was written to {destination}."
        return Check(name, State.WARN, sentence)
    return Check(name, State.OK, f"{transport.place} took a test mail.")
