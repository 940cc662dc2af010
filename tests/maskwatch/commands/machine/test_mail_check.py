"""``maskwatch doctor --send`` says for each receiver what the mail server answers."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.settings import JobSettings
from maskwatch.commands.checks import State
from maskwatch.commands.machine.mail_check import check_mail, check_mail_settings
from tests.mail_server import GREYLISTED, NO_SUCH_USER, MailServer
from tests.maskwatch.conftest import Run

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"


@pytest.fixture
def server() -> Iterator[MailServer]:
    started = MailServer()
    started.start()
    yield started
    started.stop()


def test_each_receiver_has_its_answer(server: MailServer, tmp_path: Path, now: datetime) -> None:
    settings = JobSettings(
        var_dir=tmp_path,
        smtp_host="127.0.0.1",
        smtp_port=server.port,
        smtp_starttls=False,
        mail_to=f"{ADA}, {BOB}, {EVE}",
    )
    server.replies = {BOB: [GREYLISTED], EVE: [NO_SUCH_USER]}
    ada, bob, eve = check_mail(settings, now)
    assert (ada.name, ada.state) == (f"mail to {ADA}", State.OK)
    assert ada.sentence == f"127.0.0.1:{server.port} took a test mail."
    assert (bob.name, bob.state) == (f"mail to {BOB}", State.WARN)
    assert GREYLISTED in bob.sentence
    assert (eve.name, eve.state) == (f"mail to {EVE}", State.FAIL)
    assert NO_SUCH_USER in eve.sentence
    [mail] = server.mails
    assert server.receivers == [[ADA]]
    assert mail["Subject"] == "[Maskwatch] Test: mail about alerts arrives"


def test_doctor_sends_only_when_asked(
    maskwatch: Run, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": server.port,
        "SMTP_STARTTLS": "false",
        "MAIL_TO": ADA,
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"MASKWATCH_{name}", str(value))
    assert "mail to" not in maskwatch("doctor").out
    assert not server.mails
    assert f"ok   mail to {ADA}: " in maskwatch("doctor", "--send").out
    assert server.receivers == [[ADA]]


def test_without_a_server_the_mail_is_a_file(maskwatch: Run, tmp_path: Path) -> None:
    assert (
        "warn mail to oncall@localhost: No mail server is set" in maskwatch("doctor", "--send").out
    )


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, {"mail": "MASKWATCH_SMTP_HOST is not set: alerts are files in"}),
        (
            {"smtp_host": "mail.example.org"},
            {
                "mail": "MASKWATCH_MAIL_TO is not set: alerts go to oncall@localhost.",
                "links in mails": "MASKWATCH_DASHBOARD_URL",
            },
        ),
        (
            {"smtp_host": "mail.example.org", "mail_to": ADA, "dashboard_url": "https://m.example"},
            {},
        ),
    ],
)
def test_where_alerts_go_is_said_if_nobody_has_said_it(
    tmp_path: Path, given: dict[str, Any], names: dict[str, str]
) -> None:
    checks = list(check_mail_settings(JobSettings(var_dir=tmp_path, **given)))
    warnings = {check.name: check.sentence for check in checks if check.state is State.WARN}
    assert set(warnings) == set(names)
    for name, words in names.items():
        assert words in warnings[name]
