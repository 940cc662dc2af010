"""Transports: the two ways a mail leaves. Each returns where it went or says why it did not."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from detectors.errors import MaskwatchError
from jobs.alerting.channels.mail import OutgoingMail
from jobs.settings import JobSettings
from store.engine.whole_files import write_whole

_log = structlog.get_logger(__name__)

# The first type that fits names what went wrong and the settings to look at.
_SMTP_FAULTS: tuple[tuple[type[Exception], str, str], ...] = (
    (ssl.SSLCertVerificationError, "shows a certificate that is not trusted", "SMTP_HOST"),
    (smtplib.SMTPNotSupportedError, "does not offer STARTTLS or sign-in", "SMTP_STARTTLS"),
    (smtplib.SMTPAuthenticationError, "does not accept the password", "SMTP_PASSWORD"),
    (smtplib.SMTPSenderRefused, "does not accept the sender", "MAIL_FROM"),
    (smtplib.SMTPRecipientsRefused, "does not accept any receiver", "MAIL_TO"),
    (smtplib.SMTPException, "broke off the conversation", "SMTP_HOST"),
    (OSError, "cannot be reached", "SMTP_HOST"),
)


class DeliveryFailed(MaskwatchError):
    """A mail did not go out; it stays in the outbox."""

    retryable = True


class Transport(Protocol):
    """A way to send mail.

    Attributes:
        name: recorded with each notification.
    """

    name: str

    def send(self, mail: OutgoingMail) -> str:
        """Send a mail and return its destination.

        Raises:
            DeliveryFailed: it did not go out; trying again may help.
        """
        ...


@dataclass
class SmtpTransport:
    """A mail server, with STARTTLS and sign-in where the settings ask for them."""

    settings: JobSettings
    name: str = "smtp"

    def send(self, mail: OutgoingMail) -> str:  # noqa: D102
        address = f"{self.settings.mail.smtp_host}:{self.settings.mail.smtp_port}"
        with _name_faults(address), self._session() as server:
            refusals = server.send_message(
                mail.message, self.settings.mail.mail_from, self.settings.mail.recipients
            )
        if refusals:
            _log.warning("some receivers were refused", server=address, receivers=sorted(refusals))
        return ", ".join(to for to in self.settings.mail.recipients if to not in refusals)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        settings = self.settings
        with closing(
            smtplib.SMTP(
                settings.mail.smtp_host or "",
                settings.mail.smtp_port,
                timeout=settings.mail.smtp_timeout_seconds,
            )
        ) as server:
            if settings.mail.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if settings.mail.smtp_username is not None and settings.mail.smtp_password is not None:
                server.login(
                    settings.mail.smtp_username, settings.mail.smtp_password.get_secret_value()
                )
            yield server
            # The mail is taken: how the server says goodbye must not have it sent again.
            with suppress(OSError):
                server.quit()


@dataclass
class FileTransport:
    """A folder of ``.eml`` files that only their owner may read."""

    folder: Path
    name: str = "file"

    def send(self, mail: OutgoingMail) -> str:  # noqa: D102
        path = self.folder / f"{mail.name}.eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, bytes(mail.message))
        except OSError as error:
            raise DeliveryFailed(
                f"The mail cannot be written to {path}: {error.strerror}. "
                "Set MASKWATCH_SMTP_HOST, or MASKWATCH_VAR_DIR to a folder that can be written."
            ) from error
        return str(path)


def transport_for(settings: JobSettings) -> Transport:
    """The mail server of the settings, or the folder if none is configured."""
    if settings.mail.smtp_host is None:
        return FileTransport(settings.mail_dir)
    return SmtpTransport(settings)


@contextmanager
def _name_faults(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, smtplib.SMTPException) as error:
        what, setting = next(
            (what, setting) for kind, what, setting in _SMTP_FAULTS if isinstance(error, kind)
        )
        raise DeliveryFailed(
            f"The mail server {address} {what} ({_detail(error)}): check MASKWATCH_{setting}; "
            "the mail stays in the outbox."
        ) from error


def _detail(error: Exception) -> str:
    reason: object
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        _code, reason = next(iter(error.recipients.values()))
    else:
        reason = getattr(error, "smtp_error", None) or getattr(error, "strerror", None) or error
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return " ".join(text.split())[:200].rstrip(".") or type(error).__name__
