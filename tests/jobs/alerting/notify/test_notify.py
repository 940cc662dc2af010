"""An alert goes out once, whole, and apart from all others."""

from dataclasses import replace
from threading import Barrier, Thread

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.transports import SmtpTransport
from jobs.alerting.notify import NotifyResult, notify, run
from jobs.context import JobContext
from store.alerts.outbox import Delivery
from store.engine.database import Database
from tests.jobs.alerting.notify.mailing import (
    ADA,
    BOB,
    ONCALL,
    content,
    evaluate,
    later,
    outbox,
    states,
)
from tests.mail_server import MailServer
from tests.makers import make_condition
from tests.waiting import PATIENCE_SECONDS


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
