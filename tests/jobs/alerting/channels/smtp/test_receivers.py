"""A receiver is only refused for what is said of it."""

import pytest

from jobs.alerting.channels.delivery_errors import (
    DeliveryFailed,
    RecipientDeferred,
    RecipientRefused,
)
from jobs.alerting.channels.mail import OutgoingMail
from tests.jobs.alerting.channels.smtp.sending import ADA, BOB, Start, in_clear, one_sentence
from tests.mail_server import GREYLISTED, NO_SUCH_USER


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (GREYLISTED, RecipientDeferred, f"does not take mail to {ADA} yet ({GREYLISTED})."),
        (
            NO_SUCH_USER,
            RecipientRefused,
            f"refuses mail to {ADA} ({NO_SUCH_USER}): check MASKWATCH_MAIL_TO.",
        ),
        ("552 5.2.2 Mailbox full", RecipientRefused, f"refuses mail to {ADA} (552 5.2.2"),
        (
            f"550 5.1.1 <{ADA}>: User unknown in relay recipient table",
            RecipientRefused,
            f"refuses mail to {ADA}",
        ),
        (
            "504 5.5.2 <parser>: Helo command rejected: need fully-qualified hostname",
            DeliveryFailed,
            "check MASKWATCH_SMTP_HELO_NAME.",
        ),
        (
            "550 5.1.8 <m@example.org>: Sender address rejected: Domain not found",
            DeliveryFailed,
            "does not accept the sender",
        ),
        ("450 4.2.0 Recipient address rejected: Greylisted", RecipientDeferred, "yet (450 4.2.0"),
        ("421 4.7.0 Too many messages", RecipientDeferred, "yet (421 4.7.0"),
        ("550 5.7.1 Greylisting in action, come back", RecipientDeferred, "yet (550 5.7.1"),
        (
            "550 5.7.26 The sender is unauthenticated: SPF did not pass",
            DeliveryFailed,
            "check MASKWATCH_MAIL_FROM.",
        ),
        ("550 5.7.25 This IP has no PTR record", DeliveryFailed, "check MASKWATCH_SMTP_HOST"),
        (
            "554 5.7.1 Service unavailable; blocked using zen.spamhaus.org",
            DeliveryFailed,
            "check MASKWATCH_SMTP_HOST",
        ),
        ("550 Please turn on SMTP Authentication", DeliveryFailed, "check MASKWATCH_SMTP_HOST and"),
        ("530 5.7.57 Client not authenticated", DeliveryFailed, "MASKWATCH_SMTP_USERNAME."),
        ("503 AUTH first (#5.5.1)", DeliveryFailed, "MASKWATCH_SMTP_USERNAME."),
        (
            "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
        (
            "550 5.7.60 Client does not have permissions to send as this sender",
            DeliveryFailed,
            "check MASKWATCH_MAIL_FROM.",
        ),
        (
            "550 5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
        (
            "550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
        ("503 5.5.1 Bad sequence of commands", DeliveryFailed, "does not follow the conversation"),
        (
            f"554 5.7.1 <{ADA}>: Relay access denied",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
    ],
)
def test_a_receiver_is_only_refused_for_what_is_said_of_it(
    start: Start, mail: OutgoingMail, reply: str, kind: type[DeliveryFailed], said: str
) -> None:
    server = start()
    server.replies = {ADA: [reply]}
    transport = in_clear(server)
    with pytest.raises(DeliveryFailed) as caught:
        transport.send(mail, ADA)
    assert type(caught.value) is kind
    assert said in one_sentence(caught)
    transport.send(mail, BOB)
    assert server.receivers == [[BOB]]


def test_the_address_of_a_receiver_is_no_cause(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.replies = {"helo@example.org": ["550 5.1.1 <helo@example.org>: unknown"]}
    with pytest.raises(RecipientRefused):
        in_clear(server).send(mail, "helo@example.org")


def test_a_refused_mail_is_refused_for_its_receiver(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.data_reply = "554 5.7.1 Message content rejected"
    with pytest.raises(RecipientRefused, match="Message content rejected") as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)
