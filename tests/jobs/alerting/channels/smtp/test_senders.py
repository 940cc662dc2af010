"""A sender that the mail server does not take mail from."""

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed, RecipientDeferred
from jobs.alerting.channels.mail import OutgoingMail
from tests.jobs.alerting.channels.smtp.sending import ADA, Start, in_clear, one_sentence


def test_a_sender_is_put_off_before_a_receiver_is_named(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.sender_reply = "451 4.7.1 Please try again later"
    with pytest.raises(RecipientDeferred, match="does not take mail to") as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)


@pytest.mark.parametrize(
    "reply", ["530 5.7.57 Client not authenticated to send mail", "530 Access denied"]
)
def test_a_sender_who_has_to_sign_in_is_told_so(
    start: Start, mail: OutgoingMail, reply: str
) -> None:
    server = start()
    server.sender_reply = reply
    with pytest.raises(DeliveryFailed, match="MASKWATCH_SMTP_USERNAME") as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)


def test_a_refused_sender_is_named(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.sender_reply = "553 5.7.1 Not yours"
    said = r"does not accept the sender \(553 5.7.1 Not yours\): check MASKWATCH_MAIL_FROM"
    with pytest.raises(DeliveryFailed, match=said) as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)
