"""Mail servers to start, certificates for them, and a mail to send."""

from collections.abc import Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

import pytest

from jobs.alerting.channels.mail import OutgoingMail
from tests.jobs.alerting.channels.smtp.sending import ADA, BOB, Start
from tests.mail_server import MailServer, make_certificate


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stop:

        def started(certificate: Path | None = None, **options: Any) -> MailServer:
            server = MailServer(certificate, **options)
            server.start()
            stop.callback(server.stop)
            return server

        yield started


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Self-signed certificates with their keys: of this address, and of another."""
    folder = tmp_path_factory.mktemp("certificates")
    addresses = {"ours": "127.0.0.1", "theirs": "127.0.0.2"}
    return {name: make_certificate(folder / f"{name}.pem", ip) for name, ip in addresses.items()}


@pytest.fixture
def mail() -> OutgoingMail:
    message = EmailMessage(policy=SMTP_POLICY)
    message["Subject"] = "An alert"
    message["To"] = f"{ADA}, {BOB}"
    message.set_content("The plain part — with a dash.\n.\nA dot alone does not end it.")
    message.add_alternative("<p>The HTML part.</p>", subtype="html")
    return OutgoingMail("20260302T120000Z-1-firing", message)
