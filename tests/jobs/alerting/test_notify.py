from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from smtplib import SMTP
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.transports import SmtpTransport
from jobs.alerting.notify import NotifyResult, notify, run
from jobs.context import JobContext
from store.alert_rules.mail_refused import MAIL_REFUSED
from store.alerts.alerts import Condition, apply_condition
from store.alerts.outbox import Delivery
from store.engine.database import Database
from store.tables.work_tables import AlertRow, NotificationRow
from tests.mail_server import GREYLISTED, NO_SUCH_USER, TAKEN, MailServer
from tests.makers import make_condition
from tests.waiting import PATIENCE_SECONDS

ONCALL = "oncall@localhost"
ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
_SMTP_SECONDS = 120  # The most that the setting takes.


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
        "smtp_timeout_seconds": _SMTP_SECONDS,
    }
    return with_settings(context, **changes)


@pytest.fixture
def mailing_two(mailing: JobContext) -> JobContext:
    """The same with two receivers."""
    return with_settings(mailing, mail_to=f"{ADA}, {BOB}")


def with_settings(context: JobContext, **changes: Any) -> JobContext:
    return replace(context, settings=context.settings.model_copy(update=changes))


def evaluate(context: JobContext, condition: Condition) -> None:
    with context.database.write() as session:
        apply_condition(session, condition, context.now)


def outbox(context: JobContext) -> list[NotificationRow]:
    with context.database.read() as session:
        return list(session.scalars(select(NotificationRow).order_by(NotificationRow.id)))


def later(context: JobContext, seconds: float) -> JobContext:
    return replace(context, now=context.now + timedelta(seconds=seconds))


def content(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_an_alert_arrives_once_as_text_and_html(mailing: JobContext, server: MailServer) -> None:
    evaluate(mailing, make_condition())
    assert run(mailing).sentence == "Sent 1 notification."
    [mail] = server.mails
    assert mail["Subject"] == "[Maskwatch] FIRING warning: invalid share 12.5 % (limit 5 %)"
    assert mail["From"] == "Maskwatch <maskwatch@localhost>"
    assert mail["To"] == ONCALL
    assert server.receivers == [[ONCALL]]
    for kind in ("plain", "html"):
        assert "12.5 % of the last 200 requests" in content(mail, kind)
    [sent] = outbox(mailing)
    assert (sent.state, sent.transport, sent.destination) == (
        Delivery.SENT,
        "smtp",
        "oncall@localhost",
    )
    assert sent.sent_at == mailing.now
    assert run(later(mailing, 86_400)).sentence == "Sent 0 notifications."
    assert len(server.mails) == 1


SHARE_SUBJECT = "[Maskwatch] FIRING warning: invalid share 12.5 % (limit 5 %)"


def subjects(server: MailServer) -> list[str]:
    return [str(mail["Subject"]) for mail in server.mails]


def open_rules(context: JobContext) -> list[tuple[str, str]]:
    with context.database.read() as session:
        firing = select(AlertRow).where(AlertRow.state == "firing")
        alerts = session.scalars(firing.order_by(AlertRow.id))
        return [(alert.rule, alert.summary) for alert in alerts]


def states(context: JobContext, event: int = 0) -> dict[str | None, str]:
    """The state of each receiver of an event: of the first alert, the second, and so on."""
    rows = outbox(context)
    alert_id = sorted({row.alert_id for row in rows})[event]
    return {row.recipient: row.state for row in rows if row.alert_id == alert_id}


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
            assert client.sock.gettimeout() == _SMTP_SECONDS
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


def test_a_resolved_notice_follows_in_the_same_conversation(
    mailing: JobContext, server: MailServer
) -> None:
    evaluate(mailing, make_condition())
    evaluate(later(mailing, 60), make_condition(active=False, value=0.01))
    assert run(later(mailing, 60)).rows == 2
    firing, resolved = server.mails
    assert firing["Subject"].startswith("[Maskwatch] FIRING")
    assert resolved["Subject"].startswith("[Maskwatch] RESOLVED")
    assert resolved["References"] == firing["Message-ID"]


def test_hostile_text_stays_text(mailing: JobContext, server: MailServer) -> None:
    hostile = "x\r\nBcc: evil@example.org\r\n\r\n<img src=//evil.example onerror=alert(1)>"
    evidence = {"clients": [[hostile, 3]], "reasons": [[hostile, 3]], "request_ids": [hostile]}
    evaluate(mailing, make_condition(summary=hostile, evidence=evidence))
    run(mailing)
    [mail] = server.mails
    assert mail["Bcc"] is None
    assert server.receivers == [[ONCALL]]
    html = content(mail, "html")
    assert "<img" not in html
    assert html.count("&lt;img src=//evil.example") == 4


def test_a_mail_that_cannot_be_composed_does_not_hold_up_the_others(
    mailing: JobContext, server: MailServer
) -> None:
    poison = {"job": "scan\r\nBcc: evil@example.org"}
    evaluate(mailing, make_condition(fingerprint="p", rule="job_failed", evidence=poison))
    evaluate(mailing, make_condition())
    with pytest.raises(DeliveryFailed, match=r"cannot be composed .* Sent 1 notification, 1 waits"):
        run(mailing)
    assert len(server.mails) == 1
    assert [row.state for row in outbox(mailing)] == [Delivery.PENDING, Delivery.SENT]


def test_two_notifiers_at_once_send_each_mail_once(mailing: JobContext, server: MailServer) -> None:
    for number in range(12):
        evaluate(mailing, make_condition(fingerprint=str(number)))
    together = Barrier(2, timeout=PATIENCE_SECONDS)
    results: list[NotifyResult] = []

    def work() -> None:
        database = Database.open(mailing.settings)
        together.wait()
        transport = SmtpTransport(mailing.settings)
        results.append(notify(replace(mailing, database=database), transport))
        database.close()

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert sum(result.deliveries for result in results) == 12
    assert len(server.mails) == len({mail["Message-ID"] for mail in server.mails}) == 12


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


def test_a_refused_receiver_is_named_to_the_other_once(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed, match=f"refuses mail to {ADA} .* 2 refused"):
        run(mailing_two)
    no_mail = f"[Maskwatch] FIRING warning: no mail goes to {ADA}"
    assert subjects(server) == [SHARE_SUBJECT, no_mail]
    assert server.receivers == [[BOB], [BOB]]
    assert f"refuses mail to {ADA} ({NO_SUCH_USER})" in content(server.mails[1], "plain")
    assert states(mailing_two) == states(mailing_two, 1) == {ADA: "refused", BOB: "sent"}
    assert [rule for rule, _ in open_rules(mailing_two)] == ["invalid_share", MAIL_REFUSED]
    assert run(later(mailing_two, 86_400)).rows == 0
    evaluate(later(mailing_two, 86_400), make_condition(fingerprint="next"))
    with pytest.raises(DeliveryFailed, match="1 refused"):
        run(later(mailing_two, 86_400))
    assert subjects(server).count(no_mail) == 1
    assert server.receivers == [[BOB]] * 3


def test_the_alert_about_a_refused_receiver_ends_with_a_mail_that_is_taken(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing_two)
    server.recover()
    evaluate(mailing_two, make_condition(fingerprint="next"))
    run(later(mailing_two, 60))
    assert MAIL_REFUSED not in dict(open_rules(mailing_two))
    assert f"[Maskwatch] RESOLVED: mail to {ADA} goes out" in subjects(server)


def test_the_alert_about_a_refused_receiver_ends_when_it_is_none_any_more(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing_two)
    run(with_settings(later(mailing_two, 60), mail_to=BOB))
    assert MAIL_REFUSED not in dict(open_rules(mailing_two))


def test_a_receiver_who_is_put_off_for_hours_is_named_to_the_other(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [GREYLISTED]}
    evaluate(mailing_two, make_condition())
    at = mailing_two
    while MAIL_REFUSED not in dict(open_rules(mailing_two)):
        attempt(at)
        [due] = [row.next_attempt_at for row in outbox(mailing_two)[:2] if row.recipient == ADA]
        at = replace(at, now=due)
        assert at.now - mailing_two.now < timedelta(hours=6)
    assert at.now - mailing_two.now > timedelta(hours=4)
    assert server.receivers == [[BOB], [BOB]]


def attempt(context: JobContext) -> None:
    try:
        run(context)
    except DeliveryFailed:
        return


def test_an_event_that_everybody_refuses_is_kept_until_somebody_takes_it(
    mailing_two: JobContext, server: MailServer
) -> None:
    server.replies = {ADA: [NO_SUCH_USER], BOB: [NO_SUCH_USER]}
    evaluate(mailing_two, make_condition())
    with pytest.raises(DeliveryFailed):
        run(mailing_two)
    assert server.receivers == []
    assert states(mailing_two) == {ADA: "refused", BOB: "pending"}
    run(with_settings(later(mailing_two, 30), mail_to=EVE))
    assert subjects(server)[0] == SHARE_SUBJECT
    assert server.receivers[0] == [EVE]


def test_a_sender_that_dies_after_the_mail_went_out_doubles_that_one_mail_only(
    mailing_two: JobContext, server: MailServer
) -> None:
    class DyingOnAda(SmtpTransport):
        def send(self, mail: OutgoingMail, recipient: str) -> str:
            destination = super().send(mail, recipient)
            if recipient == ADA:
                raise SystemExit
            return destination

    evaluate(mailing_two, make_condition())
    with pytest.raises(SystemExit):
        notify(mailing_two, DyingOnAda(mailing_two.settings))
    assert states(mailing_two) == {ADA: "sending", BOB: "pending"}
    assert run(later(mailing_two, 60)).rows == 1
    assert run(later(mailing_two, 900)).rows == 1
    assert run(later(mailing_two, 86_400)).rows == 0
    assert server.receivers == [[ADA], [BOB], [ADA]]
    assert len({mail["Message-ID"] for mail in server.mails}) == 1
