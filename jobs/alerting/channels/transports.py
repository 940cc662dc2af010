"""Transports: the ways a mail leaves. Each returns where it went or says why it did not."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.greeting import choose_greeting
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.smtp_faults import (
    CONNECTION_FAULTS,
    SIGN_IN_FAULTS,
    STARTTLS_FAULTS,
    name_all_faults,
    name_faults,
)
from jobs.settings import JobSettings
from store.engine.files.whole_files import write_whole


class Transport(Protocol):
    """A way to send mail.

    Attributes:
        name: recorded with each notification.
    """

    name: str

    @property
    def place(self) -> str:
        """Where it takes mail, for people; nothing in it is secret."""
        ...

    def send(self, mail: OutgoingMail, recipient: str) -> str:
        """Send a mail to one receiver and return its destination.

        Raises:
            RecipientRefused: this receiver will not get it; trying again does not help.
            DeliveryFailed: it did not go out; trying again may help.
        """
        ...


@dataclass
class SmtpTransport:
    """A mail server, with TLS and sign-in where the settings ask for them."""

    settings: JobSettings
    name: str = "smtp"

    def send(self, mail: OutgoingMail, recipient: str) -> str:  # noqa: D102
        with name_all_faults(self.place, recipient), self._session() as server:
            server.send_message(mail.message, self.settings.mail.mail_from, [recipient])
        return recipient

    @property
    def place(self) -> str:  # noqa: D102
        return f"{self.settings.mail.smtp_host}:{self.settings.mail.smtp_port}"

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        with closing(self._connect()) as server:
            server.ehlo_or_helo_if_needed()
            self._begin_tls(server)
            self._sign_in(server)
            yield server
            # The mail is taken: how the server says goodbye must not have it sent again.
            with suppress(OSError):
                server.quit()

    def _connect(self) -> smtplib.SMTP:
        mail = self.settings.mail
        place, greeting = (mail.smtp_host or "", mail.smtp_port), choose_greeting(mail)
        seconds = mail.smtp_timeout_seconds
        with name_faults(self.place, CONNECTION_FAULTS):
            if mail.begins_with_tls:
                context = ssl.create_default_context()
                return smtplib.SMTP_SSL(*place, greeting, timeout=seconds, context=context)
            return smtplib.SMTP(*place, greeting, timeout=seconds)

    def _begin_tls(self, server: smtplib.SMTP) -> None:
        mail = self.settings.mail
        if mail.smtp_starttls and not mail.begins_with_tls:
            with name_faults(self.place, STARTTLS_FAULTS):
                server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()

    def _sign_in(self, server: smtplib.SMTP) -> None:
        mail = self.settings.mail
        if mail.smtp_username is not None and mail.smtp_password is not None:
            with name_faults(self.place, SIGN_IN_FAULTS):
                server.login(mail.smtp_username, mail.smtp_password.get_secret_value())


@dataclass
class FileTransport:
    """A folder of ``.eml`` files that only their owner may read; one file for all receivers."""

    folder: Path
    name: str = "file"

    @property
    def place(self) -> str:  # noqa: D102
        return str(self.folder)

    def send(self, mail: OutgoingMail, recipient: str) -> str:  # noqa: ARG002, D102
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
