"""Who sends to a test's mail server and how, and what is said of its faults."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.transports import SmtpTransport
from jobs.settings import JobSettings
from tests.mail_server import PASSWORD, USER, MailServer

ADA, BOB = "ada@example.org", "bob@example.org"
Start = Callable[..., MailServer]


def settings_for(server: MailServer, **changes: Any) -> JobSettings:
    given: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_timeout_seconds": 120,  # The most that the setting takes.
        "mail_from": "maskwatch@example.org",
        "mail_to": f"{ADA}, {BOB}",
    }
    return JobSettings(**given | changes)


def in_clear(server: MailServer, **changes: Any) -> SmtpTransport:
    return SmtpTransport(settings_for(server, smtp_starttls=False, **changes))


def signing_in(server: MailServer, password: str = PASSWORD, **changes: Any) -> SmtpTransport:
    changes |= {"smtp_username": USER, "smtp_password": password}
    return SmtpTransport(settings_for(server, **changes))


def one_sentence(error: pytest.ExceptionInfo[DeliveryFailed]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("The mail server 127.0.0.1:")
    assert text.endswith(".")
    return text
