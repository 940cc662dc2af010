"""A mail server, and contexts whose alerts are mailed through it."""

from collections.abc import Iterator

import pytest

from jobs.context import JobContext
from tests.jobs.alerting.notify.mailing import ADA, BOB, SMTP_SECONDS, with_settings
from tests.mail_server import MailServer


@pytest.fixture
def server() -> Iterator[MailServer]:
    started = MailServer()
    started.start()
    yield started
    started.stop(no_assert=True)


@pytest.fixture
def mailing(context: JobContext, server: MailServer) -> JobContext:
    """The context with settings that mail through the server."""
    changes = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_starttls": False,
        "smtp_timeout_seconds": SMTP_SECONDS,
    }
    return with_settings(context, **changes)


@pytest.fixture
def mailing_two(mailing: JobContext) -> JobContext:
    """The same with two receivers."""
    return with_settings(mailing, mail_to=(ADA, BOB))
