import shutil
import ssl
import subprocess
from asyncio import AbstractServer
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import default
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.transports import DeliveryFailed, SmtpTransport
from jobs.settings import JobSettings

USER, PASSWORD = "robot", "s3cret-Pa55"
SIGN_IN = b64encode(f"\0{USER}\0{PASSWORD}".encode())


class Conversation(SMTP):
    """Keeps what the client says, apart by whether it was encrypted."""

    def data_received(self, data: bytes) -> None:
        kept = self.event_handler.encrypted if self._tls_protocol else self.event_handler.clear
        kept.extend(data)
        super().data_received(data)


class MailServer(Controller):
    """A mail server on a free loopback port; its own handler."""

    def __init__(self, certificate: Path | None = None, **options: Any) -> None:
        self.clear, self.encrypted = bytearray(), bytearray()
        self.mails: list[Envelope] = []
        self.refused: set[str] = set()
        self.goodbye = "221 Bye"
        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
        options |= {"tls_context": tls, "authenticator": self._check}
        super().__init__(self, hostname="127.0.0.1", server_hostname="mail.test", **options)

    def factory(self) -> SMTP:
        return Conversation(self, **self.SMTP_kwargs)

    def _create_server(self) -> Awaitable[AbstractServer]:
        listening = create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listening)

    def _check(self, *details: Any) -> AuthResult:
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=details[-1] == right, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name that the library looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 No such user."
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.mails.append(envelope)
        return "250 OK"

    async def handle_QUIT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return self.goodbye


@pytest.fixture
def start() -> Iterator[Callable[..., MailServer]]:
    with ExitStack() as stop:

        def started(certificate: Path | None = None, **options: Any) -> MailServer:
            server = MailServer(certificate, **options)
            server.start()
            stop.callback(server.stop)
            return server

        yield started


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Self-signed certificates with their keys: of this address, and of another."""
    folder = tmp_path_factory.mktemp("certificates")
    made = {"ours": "127.0.0.1", "theirs": "127.0.0.2"}
    return {name: _certificate(folder / f"{name}.pem", ip) for name, ip in made.items()}


def _certificate(path: Path, ip: str) -> Path:
    openssl = shutil.which("openssl")
    assert openssl is not None, "these tests need the program openssl"
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={ip}"
    options = [*made.split(), "-addext", f"subjectAltName=IP:{ip}"]
    subprocess.run(
        [openssl, *options, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def mail() -> OutgoingMail:
    message = EmailMessage(policy=SMTP_POLICY)
    message["Subject"] = "An alert"
    message["To"] = "ada@example.org, bob@example.org"
    message.set_content("The plain part — with a dash.\n.\nA dot alone does not end it.")
    message.add_alternative("<p>The HTML part.</p>", subtype="html")
    return OutgoingMail("20260302T120000Z-1-firing", message)


def settings_for(server: MailServer, **changes: Any) -> JobSettings:
    given: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "mail_from": "maskwatch@example.org",
        "mail_to": "ada@example.org, bob@example.org",
    }
    return JobSettings(**given | changes)


def signing_in(server: MailServer, password: str = PASSWORD) -> JobSettings:
    return settings_for(server, smtp_username=USER, smtp_password=password)


def said_in_clear(server: MailServer) -> list[bytes]:
    """The verbs of what the client said before encryption."""
    return [line.split()[0].lower() for line in bytes(server.clear).splitlines()]


def one_sentence(error: pytest.ExceptionInfo[DeliveryFailed]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("The mail ")
    assert text.endswith("the mail stays in the outbox.")
    return text


def test_a_mail_arrives_whole(start: Callable[..., MailServer], mail: OutgoingMail) -> None:
    server = start()
    sent_to = SmtpTransport(settings_for(server, smtp_starttls=False)).send(mail)
    assert sent_to == "ada@example.org, bob@example.org"
    [envelope] = server.mails
    assert envelope.mail_from == "maskwatch@example.org"
    assert envelope.rcpt_tos == ["ada@example.org", "bob@example.org"]
    arrived = message_from_bytes(envelope.original_content or b"", policy=default)
    assert isinstance(arrived, EmailMessage)
    for kind in ("plain", "html"):
        there, here = arrived.get_body((kind,)), mail.message.get_body((kind,))
        assert there is not None
        assert here is not None
        assert there.get_content().splitlines() == here.get_content().splitlines()


def test_with_a_trusted_certificate_everything_is_encrypted(
    start: Callable[..., MailServer],
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["ours"]))
    server = start(certificates["ours"], auth_required=True)
    SmtpTransport(signing_in(server)).send(mail)
    assert len(server.mails) == 1
    assert said_in_clear(server) == [b"ehlo", b"starttls"]
    assert SIGN_IN in server.encrypted
    assert b"The HTML part." in server.encrypted


@pytest.mark.parametrize(("shown", "trusted"), [("ours", "theirs"), ("theirs", "theirs")])
def test_a_certificate_that_is_untrusted_or_of_another_host_is_refused(
    start: Callable[..., MailServer],
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    trusted: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates[trusted]))
    server = start(certificates[shown])
    with pytest.raises(DeliveryFailed, match="certificate that is not trusted") as caught:
        SmtpTransport(signing_in(server)).send(mail)
    assert f"127.0.0.1:{server.port}" in one_sentence(caught)
    assert said_in_clear(server) == [b"ehlo", b"starttls"]
    assert not server.encrypted
    assert not server.mails


def test_a_server_without_starttls_hears_neither_password_nor_mail(
    start: Callable[..., MailServer], mail: OutgoingMail
) -> None:
    server = start(auth_require_tls=False)
    with pytest.raises(DeliveryFailed, match="MASKWATCH_SMTP_STARTTLS") as caught:
        SmtpTransport(signing_in(server)).send(mail)
    one_sentence(caught)
    assert set(said_in_clear(server)) == {b"ehlo"}
    assert not server.mails


def test_a_wrong_password_is_named_but_not_shown(
    start: Callable[..., MailServer],
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["ours"]))
    server = start(certificates["ours"], auth_required=True)
    with pytest.raises(DeliveryFailed, match="MASKWATCH_SMTP_PASSWORD") as caught:
        SmtpTransport(signing_in(server, "wrong-Pa55")).send(mail)
    assert "wrong-Pa55" not in one_sentence(caught)
    assert not server.mails


def test_a_mail_that_was_taken_counts_as_sent_however_the_server_says_goodbye(
    start: Callable[..., MailServer], mail: OutgoingMail
) -> None:
    server = start()
    server.goodbye = "421 4.3.2 Going away"
    SmtpTransport(settings_for(server, smtp_starttls=False)).send(mail)
    assert len(server.mails) == 1


def test_one_refused_receiver_does_not_keep_the_mail_from_the_other(
    start: Callable[..., MailServer], mail: OutgoingMail
) -> None:
    server = start()
    server.refused = {"ada@example.org"}
    transport = SmtpTransport(settings_for(server, smtp_starttls=False))
    assert transport.send(mail) == "bob@example.org"
    server.refused.add("bob@example.org")
    with pytest.raises(DeliveryFailed, match="MASKWATCH_MAIL_TO") as caught:
        transport.send(mail)
    assert "does not accept any receiver (5.1.1 No such user)" in one_sentence(caught)
    assert [envelope.rcpt_tos for envelope in server.mails] == [["bob@example.org"]]
