"""The name that this host greets a mail server with."""

import pytest

from jobs.alerting.channels import greeting
from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from tests.jobs.alerting.channels.smtp.sending import ADA, Start, in_clear, one_sentence


@pytest.mark.parametrize(
    ("name", "sender", "greets_as"),
    [
        ("parser.example.net", "maskwatch@example.org", "parser.example.net"),
        ("parser", "maskwatch@example.org", "example.org"),
        ("localhost.localdomain", "maskwatch@example.org", "example.org"),
        ("1.0.0.127.in-addr.arpa", "maskwatch@example.org", "example.org"),
        ("parser_1.example.net", "maskwatch@example.org", "example.org"),
    ],
)
def test_the_host_greets_with_a_name_that_has_a_domain(
    start: Start,
    mail: OutgoingMail,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    sender: str,
    greets_as: str,
) -> None:
    monkeypatch.setattr(greeting, "getfqdn", lambda: name)
    server = start()
    server.takes_literals = False
    in_clear(server, mail_from=sender).send(mail, ADA)
    assert server.greetings == [greets_as]


def test_a_refused_greeting_names_its_setting_which_mends_it(
    start: Start, mail: OutgoingMail
) -> None:
    server = start()
    server.takes_literals = False
    said = (
        r"does not accept the name that this host gives \(550 5.7.0 Address literals are not "
        r"accepted\): check MASKWATCH_SMTP_HELO_NAME"
    )
    with pytest.raises(DeliveryFailed, match=said) as caught:
        in_clear(server, smtp_helo_name="[127.0.0.1]").send(mail, ADA)
    one_sentence(caught)
    in_clear(server, smtp_helo_name="parser.example.org").send(mail, ADA)
    assert server.greetings[-1] == "parser.example.org"
    assert server.receivers == [[ADA]]
