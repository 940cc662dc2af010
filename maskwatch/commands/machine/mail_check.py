"""``maskwatch doctor --send``: does mail about alerts arrive at each receiver?"""

from collections.abc import Iterator
from datetime import datetime

from jobs.alerting.channels.delivery_errors import DeliveryFailed, RecipientDeferred
from jobs.alerting.channels.mail import OutgoingMail, compose_test
from jobs.alerting.channels.transports import FileTransport, Transport, transport_for
from jobs.settings import JobSettings
from maskwatch.commands.checks import Check, State


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
        said = f"No mail server is set (MASKWATCH_SMTP_HOST): it was written to {destination}."
        return Check(name, State.WARN, said)
    return Check(name, State.OK, "The mail server took a test mail.")
