"""Mail by SMTP to a real server: what arrives, and a server that is not there."""

from typing import Any

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.smtp_faults import name_all_faults
from tests.jobs.alerting.channels.smtp.sending import ADA, BOB, Start, in_clear, one_sentence


def test_a_mail_arrives_whole(start: Start, mail: OutgoingMail) -> None:
    server = start()
    assert in_clear(server).send(mail, BOB) == BOB
    [envelope] = server.envelopes
    assert envelope.mail_from == "maskwatch@example.org"
    assert envelope.rcpt_tos == [BOB]
    [taken] = server.mails
    assert taken["To"] == f"{ADA}, {BOB}"
    for kind in ("plain", "html"):
        there, here = taken.get_body((kind,)), mail.message.get_body((kind,))
        assert there is not None
        assert here is not None
        assert there.get_content().splitlines() == here.get_content().splitlines()


def test_a_mail_that_was_taken_counts_as_sent_however_the_server_says_goodbye(
    start: Start, mail: OutgoingMail
) -> None:
    server = start()
    server.goodbye = "421 4.3.2 Going away"
    in_clear(server).send(mail, ADA)
    assert len(server.mails) == 1


@pytest.mark.parametrize("fault", [ConnectionResetError(104, "Reset"), BrokenPipeError(32, "Gone")])
def test_a_server_that_goes_in_the_middle_could_be_reached(fault: OSError) -> None:
    refusal = pytest.raises(DeliveryFailed, match="broke off")
    with refusal as caught, name_all_faults("127.0.0.1:25", ADA):
        raise fault
    one_sentence(caught)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"smtp_host": "mail.invalid"}, "has no address"),
        ({"smtp_port": 1}, "cannot be reached (Connection refused): check MASKWATCH_SMTP_HOST"),
    ],
)
def test_a_server_that_is_not_there_is_named(
    mail: OutgoingMail, start: Start, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        in_clear(start(), **changes).send(mail, ADA)
    assert said in str(caught.value)
