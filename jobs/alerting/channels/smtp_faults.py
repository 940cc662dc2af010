"""What a mail server's refusals mean: one sentence for each cause, with the settings to look at."""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from jobs.alerting.channels.delivery_errors import (
    DeliveryFailed,
    RecipientDeferred,
    RecipientRefused,
)
from store.configuration.names import PREFIX

_PERMANENT = 500
_MAX_DETAIL = 200


@dataclass(frozen=True)
class Fault:
    """What went wrong where an exception of this kind is raised.

    Attributes:
        settings: names of the settings to look at, without their prefix.
        is_passing: whether it is only this one if the server's code is one of those that pass.
    """

    kind: type[Exception]
    predicate: str
    settings: tuple[str, ...]
    is_passing: bool = False

    def fits(self, error: Exception) -> bool:
        """Whether an exception is one of these."""
        code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else _PERMANENT
        return isinstance(error, self.kind) and (code < _PERMANENT or not self.is_passing)


_BROKE_OFF = ("broke off the conversation", ("SMTP_HOST",))
CONNECTION_FAULTS = (
    Fault(
        smtplib.SMTPServerDisconnected,
        "takes the connection and does not greet",
        ("SMTP_PORT", "SMTP_IMPLICIT_TLS"),
    ),
    Fault(smtplib.SMTPConnectError, "turns this host away", ("SMTP_HOST",)),
)
STARTTLS_FAULTS = (
    Fault(smtplib.SMTPNotSupportedError, "does not offer STARTTLS", ("SMTP_STARTTLS",)),
    Fault(smtplib.SMTPResponseException, "does not begin TLS", ("SMTP_STARTTLS",)),
)
SIGN_IN_FAULTS = (
    Fault(smtplib.SMTPNotSupportedError, "does not offer sign-in", ("SMTP_USERNAME",)),
    Fault(smtplib.SMTPAuthenticationError, "lets nobody sign in for now", (), is_passing=True),
    Fault(
        smtplib.SMTPAuthenticationError,
        "does not accept the user name and password",
        ("SMTP_USERNAME", "SMTP_PASSWORD"),
    ),
    Fault(smtplib.SMTPServerDisconnected, *_BROKE_OFF),
    # What is left of this step: the server has ways to sign in, and none of them takes a password.
    Fault(smtplib.SMTPException, "offers no sign-in with a password", ("SMTP_USERNAME",)),
)
_GREETING = ("does not accept the name that this host gives", ("SMTP_HELO_NAME",))
_SENDER = ("does not accept the sender", ("MAIL_FROM",))
_FAULTS = (
    Fault(ssl.SSLCertVerificationError, "shows a certificate that is not trusted", ("SMTP_HOST",)),
    Fault(ssl.SSLError, "does not agree on TLS", ("SMTP_PORT", "SMTP_IMPLICIT_TLS")),
    Fault(smtplib.SMTPHeloError, *_GREETING),
    Fault(smtplib.SMTPException, *_BROKE_OFF),
    Fault(ConnectionResetError, *_BROKE_OFF),
    Fault(BrokenPipeError, *_BROKE_OFF),
    Fault(socket.gaierror, "has no address", ("SMTP_HOST",)),
    Fault(OSError, "cannot be reached", ("SMTP_HOST", "SMTP_PORT")),
)
# Servers may hold back what they have against host, greeting or sender until a receiver is named:
# Postfix does so by default. Such a reply says nothing about the receiver.
_LATE_CAUSES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"\b(helo|ehlo)\b", *_GREETING),
    (r"\bstarttls\b", "asks for TLS", ("SMTP_STARTTLS",)),
    # RFC 7372: the sender's domain does not vouch for this host (DKIM, SPF, DMARC).
    (
        r"[45]\.(1\.[78]|7\.2[0-46-9]|7\.60)\b|\bsender (address )?(rejected|verify)"
        r"|\b(spf|dkim|dmarc)\b",
        *_SENDER,
    ),
    (
        r"\brelay(ing)? (access )?(denied|not permitted)|\bunable to relay"
        r"|\brcpthosts\b|^530\b|\bauth\b|\bauthenticat|\bclient host rejected"
        r"|[45]\.7\.(25|51[13]|6\d\d)\b|\bblocked using\b|\bspamhaus\b|\b(dns|r)bl\b"
        r"|\bbanned sending ip\b|\bip you're using\b",
        "does not relay mail of this host",
        ("SMTP_HOST", "SMTP_USERNAME"),
    ),
    # Commands that it does not know or does not expect here: it speaks of the conversation.
    (r"^50[023]\b", "does not follow the conversation", ("SMTP_HOST", "SMTP_PORT")),
)


# Some servers say it with a code that means for ever.
_GREYLISTED = re.compile(r"\bgr[ae]y-?list", re.IGNORECASE)


@contextmanager
def name_faults(address: str, faults: tuple[Fault, ...]) -> Iterator[None]:
    """Turn the faults of one step into sentences; others pass.

    Raises:
        DeliveryFailed: what the first fault says whose kind fits.
    """
    try:
        yield
    except (OSError, smtplib.SMTPException) as error:
        fault = next((fault for fault in faults if fault.fits(error)), None)
        if fault is None:
            raise
        sentence = _sentence(address, fault.predicate, _explain(error), fault.settings)
        raise DeliveryFailed(sentence) from error


@contextmanager
def name_all_faults(address: str, recipient: str) -> Iterator[None]:
    """Turn every fault on the way to one receiver into a sentence.

    Raises:
        RecipientDeferred: the server wants the receiver to be tried again.
        RecipientRefused: the server will never take this mail for the receiver.
        DeliveryFailed: the fault is not about the receiver.
    """
    with name_faults(address, _FAULTS):
        try:
            yield
        except smtplib.SMTPSenderRefused as error:
            raise _judge_sender(address, recipient, error) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = error.recipients[recipient]
            raise _judge_recipient(address, recipient, code, _one_line(reply)) from error
        except smtplib.SMTPDataError as error:
            text = _one_line(error.smtp_error)
            raise _judge_recipient(address, recipient, error.smtp_code, text) from error


def _judge_sender(address: str, recipient: str, error: smtplib.SMTPSenderRefused) -> DeliveryFailed:
    detail = _explain(error)
    late_cause = _find_late_cause(address, detail)
    if late_cause is not None:
        return late_cause
    if error.smtp_code < _PERMANENT:
        # Greylisting may come before any receiver is named.
        return _defer(address, recipient, detail)
    return DeliveryFailed(_sentence(address, _SENDER[0], detail, _SENDER[1]))


def _judge_recipient(address: str, recipient: str, code: int, text: str) -> DeliveryFailed:
    # An address may contain any of the words that tell of another cause.
    late_cause = _find_late_cause(address, f"{code} {text}".replace(recipient, "RECEIVER"))
    if late_cause is not None:
        return late_cause
    detail = f"{code} {text}"
    if code >= _PERMANENT and not _GREYLISTED.search(text.replace(recipient, "")):
        predicate = f"refuses mail to {recipient}"
        return RecipientRefused(_sentence(address, predicate, detail, ("MAIL_TO",)))
    return _defer(address, recipient, detail)


def _defer(address: str, recipient: str, detail: str) -> RecipientDeferred:
    predicate = f"does not take mail to {recipient} yet"
    return RecipientDeferred(_sentence(address, predicate, detail, ()))


def _find_late_cause(address: str, detail: str) -> DeliveryFailed | None:
    for pattern, predicate, settings in _LATE_CAUSES:
        if re.search(pattern, detail, re.IGNORECASE):
            return DeliveryFailed(_sentence(address, predicate, detail, settings))
    return None


def _sentence(address: str, predicate: str, detail: str, settings: tuple[str, ...]) -> str:
    names = " and ".join(f"{PREFIX}{name}" for name in settings)
    advice = f": check {names}" if names else ""
    return f"The mail server {address} {predicate} ({detail}){advice}."


def _explain(error: Exception) -> str:
    """What the server or the system said, in one line."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_one_line(error.smtp_error)}"
    return _one_line(getattr(error, "strerror", None) or str(error)) or type(error).__name__


def _one_line(reply: bytes | str) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:_MAX_DETAIL].rstrip(".")
