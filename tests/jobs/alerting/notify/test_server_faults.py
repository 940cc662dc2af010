"""A notification outlasts the faults of the mail server."""

from collections.abc import Callable
from smtplib import SMTP

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.notify import run
from jobs.context import JobContext
from store.alerts.outbox import Delivery
from tests.jobs.alerting.notify.mailing import (
    ADA,
    BOB,
    ONCALL,
    SHARE_SUBJECT,
    SMTP_SECONDS,
    evaluate,
    later,
    open_rules,
    outbox,
    states,
    subjects,
)
from tests.mail_server import GREYLISTED, NO_SUCH_USER, TAKEN, MailServer
from tests.makers import make_condition
from tests.waiting import PATIENCE_SECONDS


def refuse(server: MailServer) -> None:
    server.replies = {ONCALL: [NO_SUCH_USER]}


def defer(server: MailServer) -> None:
    server.replies = {ONCALL: [GREYLISTED]}


def hang(server: MailServer) -> None:
    server.hangs = True


def go_down(server: MailServer) -> None:
    server.stop()


def give_up_where_it_hangs(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client be in no hurry but with a server that is known to hang."""
    send = SMTP.send

    def send_and_see(client: SMTP, data: bytes | str) -> None:
        send(client, data)
        if server.hangs and isinstance(data, bytes) and data.endswith(b"\r\n.\r\n"):
            assert server.is_hanging.wait(PATIENCE_SECONDS)
            assert client.sock is not None
            assert client.sock.gettimeout() == SMTP_SECONDS
            client.sock.settimeout(0.1)

    monkeypatch.setattr(SMTP, "send", send_and_see)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refuse, f"refuses mail to {ONCALL} ({NO_SUCH_USER}): check MASKWATCH_MAIL_TO."),
        (defer, f"does not take mail to {ONCALL} yet ({GREYLISTED})."),
        (hang, "timed out): check MASKWATCH_SMTP_HOST."),
        (go_down, "cannot be reached (Connection refused): check MASKWATCH_SMTP_HOST and"),
    ],
)
def test_a_notification_outlasts_a_fault_of_the_server(
    mailing: JobContext,
    server: MailServer,
    fault: Callable[[MailServer], None],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evaluate(mailing, make_condition())
    fault(server)
    give_up_where_it_hangs(server, monkeypatch)
    with pytest.raises(DeliveryFailed, match=r"Sent 0 notifications, \d waits?"):
        run(mailing)
    waiting = outbox(mailing)[0]
    assert waiting.state == Delivery.PENDING
    assert waiting.last_error is not None
    assert says in waiting.last_error
    assert "\n" not in waiting.last_error
    server.recover()
    assert run(later(mailing, 29)).rows == 0
    assert run(later(mailing, 30)).rows >= 1
    sent = outbox(mailing)[0]
    assert (sent.state, sent.attempts, sent.last_error) == (Delivery.SENT, 2, None)
    assert subjects(server).count(SHARE_SUBJECT) == 1


def test_what_waits_goes_out_after_the_first_mail_that_the_receiver_takes(
    mailing: JobContext, server: MailServer
) -> None:
    server.replies = {ONCALL: [GREYLISTED]}
    evaluate(mailing, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing)
    with pytest.raises(DeliveryFailed):
        run(later(mailing, 30))
    server.recover()
    evaluate(later(mailing, 60), make_condition(fingerprint="another"))
    assert run(later(mailing, 60)).rows == 1
    # Alone it would wait until 90 seconds have gone.
    assert run(later(mailing, 61)).rows == 1


def test_a_greylisted_receiver_is_tried_again_alone(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [GREYLISTED, GREYLISTED, TAKEN]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed, match=r"Greylisted.* Sent 1 notification, 1 waits"):
        run(mailing_two)
    assert server.receivers == [[BOB]]
    assert states(mailing_two) == {ADA: "pending", BOB: "sent"}
    assert run(later(mailing_two, 29)).rows == 0
    with pytest.raises(DeliveryFailed, match="Sent 0 notifications, 1 waits"):
        run(later(mailing_two, 30))
    assert run(later(mailing_two, 89)).rows == 0
    assert run(later(mailing_two, 90)).rows == 1
    assert server.receivers == [[BOB], [ADA]]
    assert states(mailing_two) == {ADA: "sent", BOB: "sent"}
    assert len({mail["Message-ID"] for mail in server.mails}) == 1
    assert open_rules(mailing_two) == [("invalid_share", make_condition().summary)]
