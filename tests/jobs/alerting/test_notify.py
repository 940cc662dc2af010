from asyncio import AbstractServer, new_event_loop, sleep
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from socket import create_server
from threading import Barrier, Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from jobs.alerting.channels.transports import DeliveryFailed, SmtpTransport
from jobs.alerting.notify import NotifyResult, notify, run
from jobs.context import JobContext
from store.alerts.alerts import Condition, Delivery, apply_condition
from store.engine.database import Database
from store.tables.work_tables import NotificationRow
from tests.makers import make_condition


class MailServer(Controller):
    """A mail server on a loopback port that can be down, refuse or hang; its own handler."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"
        self.hang_seconds = 0.0
        super().__init__(self, hostname="127.0.0.1", port=0, server_hostname="mail.test")

    def _create_server(self) -> Awaitable[AbstractServer]:
        listening = create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listening)

    def recover(self) -> None:
        self.answer, self.hang_seconds = "250 OK", 0.0
        if self.server is None:
            self.loop = new_event_loop()
            self.start()

    async def handle_RCPT(  # noqa: N802 - the name that the library looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        await sleep(self.hang_seconds)
        mail = message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(mail, EmailMessage)
        mail["X-Receivers"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 OK"


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
        "smtp_timeout_seconds": 0.5,
    }
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
    assert mail["To"] == mail["X-Receivers"] == "oncall@localhost"
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


def refuse(server: MailServer) -> None:
    server.answer = "550 5.1.1 No such user"


def defer(server: MailServer) -> None:
    server.answer = "451 4.3.0 Try again later"


def hang(server: MailServer) -> None:
    server.hang_seconds = 60


def go_down(server: MailServer) -> None:
    server.stop()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (refuse, "does not accept any receiver (5.1.1 No such user): check MASKWATCH_MAIL_TO"),
        (defer, "does not accept any receiver (4.3.0 Try again later): check MASKWATCH_MAIL_TO"),
        (hang, "timed out): check MASKWATCH_SMTP_HOST"),
        (go_down, "cannot be reached (Connection refused): check MASKWATCH_SMTP_HOST"),
    ],
)
def test_a_notification_outlasts_a_fault_of_the_server(
    mailing: JobContext,
    server: MailServer,
    fault: Callable[[MailServer], None],
    says: str,
) -> None:
    evaluate(mailing, make_condition())
    fault(server)
    with pytest.raises(DeliveryFailed, match="Sent 0 notifications, 1 waits"):
        run(mailing)
    [waiting] = outbox(mailing)
    assert waiting.state == Delivery.PENDING
    assert waiting.last_error is not None
    assert says in waiting.last_error
    assert "\n" not in waiting.last_error
    assert waiting.last_error.endswith("the mail stays in the outbox.")
    server.recover()
    assert run(later(mailing, 29)).rows == 0
    assert run(later(mailing, 30)).rows == 1
    [sent] = outbox(mailing)
    assert (sent.state, sent.attempts, sent.last_error) == (Delivery.SENT, 2, None)
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
    assert mail["X-Receivers"] == "oncall@localhost"
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
    together = Barrier(2, timeout=10)
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
        thread.join(timeout=20)
    assert sum(result.deliveries for result in results) == 12
    assert len(server.mails) == len({mail["Message-ID"] for mail in server.mails}) == 12
