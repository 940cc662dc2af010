"""A real mail server on loopback that can be down, hang, defer, refuse and encrypt."""

import shutil
import ssl
import subprocess
from asyncio import (
    AbstractServer,
    BaseTransport,
    WriteTransport,
    all_tasks,
    current_task,
    get_running_loop,
    new_event_loop,
    run_coroutine_threadsafe,
    sleep,
)
from base64 import b64encode
from collections.abc import Awaitable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from socket import create_server
from threading import Event
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.waiting import PATIENCE_SECONDS

USER, PASSWORD = "robot", "s3cret-Pa55"
SIGN_IN = b64encode(f"\0{USER}\0{PASSWORD}".encode())
TAKEN = "250 OK"
GREYLISTED = "451 4.7.1 Greylisted, try again later"
NO_SUCH_USER = "550 5.1.1 No such user"


class Conversation(SMTP):
    """Keeps what the client says, apart by whether it was encrypted with STARTTLS."""

    def connection_made(self, transport: BaseTransport) -> None:
        assert isinstance(transport, WriteTransport)
        self.event_handler.transports.append(transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        kept = self.event_handler.encrypted if self._tls_protocol else self.event_handler.clear
        kept.extend(data)
        super().data_received(data)


class MailServer(Controller):
    """A mail server on a free loopback port; its own handler.

    Attributes:
        replies: what each receiver is answered, in this order; the last reply stays.
        greetings: what each client gave as its name.
        takes_literals: whether a client may give its address instead of a name.
        hangs: whether it takes a mail and says nothing any more.
        is_hanging: set once it does so.
    """

    def __init__(
        self, certificate: Path | None = None, *, implicit: bool = False, **options: Any
    ) -> None:
        self.clear, self.encrypted = bytearray(), bytearray()
        self.envelopes: list[Envelope] = []
        self.replies: dict[str, list[str]] = {}
        self.sender_reply = self.data_reply = TAKEN
        self.greetings: list[str] = []
        self.takes_literals = True
        self.goodbye = "221 Bye"
        self.hangs, self.is_hanging = False, Event()
        self.transports: list[WriteTransport] = []
        context = None if certificate is None else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if context is not None:
            context.load_cert_chain(str(certificate))
        options |= {
            "tls_context": None if implicit else context,
            "authenticator": self._check,
            "ready_timeout": PATIENCE_SECONDS,
        }
        super().__init__(
            self,
            hostname="127.0.0.1",
            port=0,
            server_hostname="mail.test",
            ssl_context=context if implicit else None,
            **options,
        )

    @property
    def mails(self) -> list[EmailMessage]:
        """What was taken, parsed."""
        return [_parse(envelope) for envelope in self.envelopes]

    @property
    def receivers(self) -> list[list[str]]:
        """The receivers of each mail that was taken."""
        return [envelope.rcpt_tos for envelope in self.envelopes]

    def recover(self) -> None:
        self.replies, self.hangs = {}, False
        if self.server is None:
            self.loop = new_event_loop()
            self.start()

    def stop(self, no_assert: bool = False) -> None:
        """End connections too: one that stays open would warn in the middle of a later test."""
        if self.server is not None:
            run_coroutine_threadsafe(self._end_connections(), self.loop).result(PATIENCE_SECONDS)
        super().stop(no_assert)

    async def _end_connections(self) -> None:
        while all_tasks() - {current_task()}:
            for transport in self.transports:
                transport.abort()
            await sleep(0)

    def factory(self) -> SMTP:
        return Conversation(self, **self.SMTP_kwargs)

    def _create_server(self) -> Awaitable[AbstractServer]:
        listening = create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listening, ssl=self.ssl_context)

    def _check(self, *details: Any) -> AuthResult:
        right = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=details[-1] == right, handled=False)

    async def handle_EHLO(  # noqa: N802 - the names that the library looks for
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        refusal = self._greet(session, hostname)
        return responses if refusal is None else [refusal]

    async def handle_HELO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str
    ) -> str:
        return self._greet(session, hostname) or "250 mail.test"

    def _greet(self, session: Session, name: str) -> str | None:
        self.greetings.append(name)
        if name.startswith("[") and not self.takes_literals:
            return "550 5.7.0 Address literals are not accepted"
        session.host_name = name
        return None

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.sender_reply

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        replies = self.replies.get(address, [TAKEN])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply == TAKEN:
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.hangs:
            self.is_hanging.set()
            await get_running_loop().create_future()
        if self.data_reply == TAKEN:
            self.envelopes.append(envelope)
        return self.data_reply

    async def handle_QUIT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return self.goodbye


def make_certificate(path: Path, ip: str) -> Path:
    """A self-signed certificate with its key, made by openssl."""
    openssl = shutil.which("openssl")
    assert openssl is not None, "these tests need the program openssl"
    request = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={ip}"
    options = [*request.split(), "-addext", f"subjectAltName=IP:{ip}"]
    subprocess.run(
        [openssl, *options, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def _parse(envelope: Envelope) -> EmailMessage:
    mail = message_from_bytes(envelope.original_content or b"", policy=default)
    assert isinstance(mail, EmailMessage)
    return mail
