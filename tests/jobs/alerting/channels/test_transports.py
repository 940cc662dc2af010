"""Mail by SMTP to a real server: what arrives, what stays secret, what each fault is called."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from smtplib import SMTPAuthenticationError, SMTPException, SMTPServerDisconnected
from typing import Any

import pytest

from jobs.alerting.channels import greeting
from jobs.alerting.channels.delivery_errors import (
    DeliveryFailed,
    RecipientDeferred,
    RecipientRefused,
)
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.smtp_faults import SIGN_IN_FAULTS, name_all_faults, name_faults
from jobs.alerting.channels.transports import SmtpTransport
from jobs.settings import JobSettings
from tests.mail_server import (
    GREYLISTED,
    NO_SUCH_USER,
    PASSWORD,
    SIGN_IN,
    USER,
    MailServer,
    make_certificate,
)

ADA, BOB = "ada@example.org", "bob@example.org"
Start = Callable[..., MailServer]


@pytest.fixture
def start() -> Iterator[Start]:
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
    addresses = {"ours": "127.0.0.1", "theirs": "127.0.0.2"}
    return {name: make_certificate(folder / f"{name}.pem", ip) for name, ip in addresses.items()}


@pytest.fixture
def mail() -> OutgoingMail:
    message = EmailMessage(policy=SMTP_POLICY)
    message["Subject"] = "An alert"
    message["To"] = f"{ADA}, {BOB}"
    message.set_content("The plain part — with a dash.\n.\nA dot alone does not end it.")
    message.add_alternative("<p>The HTML part.</p>", subtype="html")
    return OutgoingMail("20260302T120000Z-1-firing", message)


def settings_for(server: MailServer, **changes: Any) -> JobSettings:
    given: dict[str, Any] = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_timeout_seconds": 120,  # The most that the setting takes.
        "mail_from": "maskwatch@example.org",
        "mail_to": f"{ADA}, {BOB}",
    }
    return JobSettings(**given | changes)


def in_clear(server: MailServer, **changes: Any) -> SmtpTransport:
    return SmtpTransport(settings_for(server, smtp_starttls=False, **changes))


def signing_in(server: MailServer, password: str = PASSWORD, **changes: Any) -> SmtpTransport:
    changes |= {"smtp_username": USER, "smtp_password": password}
    return SmtpTransport(settings_for(server, **changes))


def verbs_in_clear(server: MailServer) -> list[bytes]:
    """The verbs of what the client said before encryption."""
    return [line.split()[0].lower() for line in bytes(server.clear).splitlines() if line]


def one_sentence(error: pytest.ExceptionInfo[DeliveryFailed]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith("The mail server 127.0.0.1:")
    assert text.endswith(".")
    return text


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


def test_with_a_trusted_certificate_everything_is_encrypted(
    start: Start,
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["ours"]))
    server = start(certificates["ours"], auth_required=True)
    signing_in(server).send(mail, ADA)
    assert len(server.mails) == 1
    assert verbs_in_clear(server) == [b"ehlo", b"starttls"]
    assert SIGN_IN in server.encrypted
    assert b"The HTML part." in server.encrypted


def test_tls_may_begin_with_the_first_byte(
    start: Start,
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["ours"]))
    # The library knows of its own encryption only.
    server = start(certificates["ours"], implicit=True, auth_require_tls=False)
    signing_in(server, smtp_implicit_tls=True).send(mail, ADA)
    assert server.receivers == [[ADA]]
    assert b"STARTTLS" not in server.clear.upper()


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize(("shown", "trusted"), [("ours", "theirs"), ("theirs", "theirs")])
def test_a_certificate_that_is_untrusted_or_of_another_host_is_refused(
    start: Start,
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    trusted: str,
    implicit: bool,
) -> None:
    server = start(certificates[shown], implicit=implicit)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates[trusted]))
    with pytest.raises(DeliveryFailed, match="certificate that is not trusted") as caught:
        signing_in(server, smtp_implicit_tls=implicit).send(mail, ADA)
    assert f"127.0.0.1:{server.port}" in one_sentence(caught)
    assert verbs_in_clear(server) == ([] if implicit else [b"ehlo", b"starttls"])
    assert not server.encrypted
    assert not server.mails


def test_a_server_without_starttls_hears_neither_password_nor_mail(
    start: Start, mail: OutgoingMail
) -> None:
    server = start(auth_require_tls=False)
    said = "does not offer STARTTLS .*: check MASKWATCH_SMTP_STARTTLS"
    with pytest.raises(DeliveryFailed, match=said) as caught:
        signing_in(server).send(mail, ADA)
    one_sentence(caught)
    assert set(verbs_in_clear(server)) == {b"ehlo"}
    assert not server.mails


def test_a_server_that_does_not_speak_tls_from_the_first_byte_is_named(
    start: Start, mail: OutgoingMail
) -> None:
    server = start()
    said = "does not agree on TLS .*: check MASKWATCH_SMTP_PORT and MASKWATCH_SMTP_IMPLICIT_TLS"
    with pytest.raises(DeliveryFailed, match=said) as caught:
        in_clear(server, smtp_implicit_tls=True).send(mail, ADA)
    one_sentence(caught)


def test_a_server_that_waits_for_tls_is_named(
    start: Start, mail: OutgoingMail, certificates: dict[str, Path]
) -> None:
    server = start(certificates["ours"], implicit=True)
    said = "does not greet .*: check MASKWATCH_SMTP_PORT and MASKWATCH_SMTP_IMPLICIT_TLS"
    with pytest.raises(DeliveryFailed, match=said) as caught:
        in_clear(server, smtp_timeout_seconds=0.3).send(mail, ADA)
    one_sentence(caught)


def test_a_wrong_password_is_named_but_not_shown(
    start: Start,
    mail: OutgoingMail,
    certificates: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates["ours"]))
    server = start(certificates["ours"], auth_required=True)
    with pytest.raises(DeliveryFailed, match="MASKWATCH_SMTP_PASSWORD") as caught:
        signing_in(server, "wrong-Pa55").send(mail, ADA)
    assert "does not accept the user name and password (535 5.7.8" in one_sentence(caught)
    assert "wrong-Pa55" not in str(caught.value)
    assert not server.mails


@pytest.mark.parametrize(
    ("name", "sender", "greets_as"),
    [
        ("parser.example.net", "maskwatch@example.org", "parser.example.net"),
        ("parser", "maskwatch@example.org", "example.org"),
        ("localhost.localdomain", "maskwatch@example.org", "example.org"),
        ("1.0.0.127.in-addr.arpa", "maskwatch@example.org", "example.org"),
        ("parser_1.example.net", "maskwatch@example.org", "example.org"),
    ],
)
def test_the_host_greets_with_a_name_that_has_a_domain(
    start: Start,
    mail: OutgoingMail,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    sender: str,
    greets_as: str,
) -> None:
    monkeypatch.setattr(greeting, "getfqdn", lambda: name)
    server = start()
    server.takes_literals = False
    in_clear(server, mail_from=sender).send(mail, ADA)
    assert server.greetings == [greets_as]


def test_a_refused_greeting_names_its_setting_which_mends_it(
    start: Start, mail: OutgoingMail
) -> None:
    server = start()
    server.takes_literals = False
    said = (
        r"does not accept the name that this host gives \(550 5.7.0 Address literals are not "
        r"accepted\): check MASKWATCH_SMTP_HELO_NAME"
    )
    with pytest.raises(DeliveryFailed, match=said) as caught:
        in_clear(server, smtp_helo_name="[127.0.0.1]").send(mail, ADA)
    one_sentence(caught)
    in_clear(server, smtp_helo_name="parser.example.org").send(mail, ADA)
    assert server.greetings[-1] == "parser.example.org"
    assert server.receivers == [[ADA]]


def test_a_mail_that_was_taken_counts_as_sent_however_the_server_says_goodbye(
    start: Start, mail: OutgoingMail
) -> None:
    server = start()
    server.goodbye = "421 4.3.2 Going away"
    in_clear(server).send(mail, ADA)
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (GREYLISTED, RecipientDeferred, f"does not take mail to {ADA} yet ({GREYLISTED})."),
        (
            NO_SUCH_USER,
            RecipientRefused,
            f"refuses mail to {ADA} ({NO_SUCH_USER}): check MASKWATCH_MAIL_TO.",
        ),
        ("552 5.2.2 Mailbox full", RecipientRefused, f"refuses mail to {ADA} (552 5.2.2"),
        (
            f"550 5.1.1 <{ADA}>: User unknown in relay recipient table",
            RecipientRefused,
            f"refuses mail to {ADA}",
        ),
        (
            "504 5.5.2 <parser>: Helo command rejected: need fully-qualified hostname",
            DeliveryFailed,
            "check MASKWATCH_SMTP_HELO_NAME.",
        ),
        (
            "550 5.1.8 <m@example.org>: Sender address rejected: Domain not found",
            DeliveryFailed,
            "does not accept the sender",
        ),
        ("450 4.2.0 Recipient address rejected: Greylisted", RecipientDeferred, "yet (450 4.2.0"),
        ("421 4.7.0 Too many messages", RecipientDeferred, "yet (421 4.7.0"),
        ("550 5.7.1 Greylisting in action, come back", RecipientDeferred, "yet (550 5.7.1"),
        (
            "550 5.7.26 The sender is unauthenticated: SPF did not pass",
            DeliveryFailed,
            "check MASKWATCH_MAIL_FROM.",
        ),
        ("550 5.7.25 This IP has no PTR record", DeliveryFailed, "check MASKWATCH_SMTP_HOST"),
        (
            "554 5.7.1 Service unavailable; blocked using zen.spamhaus.org",
            DeliveryFailed,
            "check MASKWATCH_SMTP_HOST",
        ),
        ("550 Please turn on SMTP Authentication", DeliveryFailed, "check MASKWATCH_SMTP_HOST and"),
        ("530 5.7.57 Client not authenticated", DeliveryFailed, "MASKWATCH_SMTP_USERNAME."),
        ("503 AUTH first (#5.5.1)", DeliveryFailed, "MASKWATCH_SMTP_USERNAME."),
        (
            "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
        (
            "550 5.7.60 Client does not have permissions to send as this sender",
            DeliveryFailed,
            "check MASKWATCH_MAIL_FROM.",
        ),
        (
            "550 5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
        (
            "550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
        ("503 5.5.1 Bad sequence of commands", DeliveryFailed, "does not follow the conversation"),
        (
            f"554 5.7.1 <{ADA}>: Relay access denied",
            DeliveryFailed,
            "does not relay mail of this host",
        ),
    ],
)
def test_a_receiver_is_only_refused_for_what_is_said_of_it(
    start: Start, mail: OutgoingMail, reply: str, kind: type[DeliveryFailed], said: str
) -> None:
    server = start()
    server.replies = {ADA: [reply]}
    transport = in_clear(server)
    with pytest.raises(DeliveryFailed) as caught:
        transport.send(mail, ADA)
    assert type(caught.value) is kind
    assert said in one_sentence(caught)
    transport.send(mail, BOB)
    assert server.receivers == [[BOB]]


def test_the_address_of_a_receiver_is_no_cause(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.replies = {"helo@example.org": ["550 5.1.1 <helo@example.org>: unknown"]}
    with pytest.raises(RecipientRefused):
        in_clear(server).send(mail, "helo@example.org")


def test_a_refused_mail_is_refused_for_its_receiver(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.data_reply = "554 5.7.1 Message content rejected"
    with pytest.raises(RecipientRefused, match="Message content rejected") as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)


def test_a_sender_is_put_off_before_a_receiver_is_named(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.sender_reply = "451 4.7.1 Please try again later"
    with pytest.raises(RecipientDeferred, match="does not take mail to") as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)


@pytest.mark.parametrize(
    "reply", ["530 5.7.57 Client not authenticated to send mail", "530 Access denied"]
)
def test_a_sender_who_has_to_sign_in_is_told_so(
    start: Start, mail: OutgoingMail, reply: str
) -> None:
    server = start()
    server.sender_reply = reply
    with pytest.raises(DeliveryFailed, match="MASKWATCH_SMTP_USERNAME") as caught:
        in_clear(server).send(mail, ADA)
    one_sentence(caught)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            SMTPAuthenticationError(454, b"4.7.0 Temporary authentication failure"),
            "lets nobody sign in for now (454 4.7.0 Temporary authentication failure).",
        ),
        (
            SMTPAuthenticationError(535, b"5.7.8 Wrong"),
            "check MASKWATCH_SMTP_USERNAME and MASKWATCH_SMTP_PASSWORD.",
        ),
        (SMTPException("No suitable method"), "offers no sign-in with a password"),
        (SMTPServerDisconnected("Gone"), "broke off the conversation (Gone)"),
    ],
)
def test_why_nobody_can_sign_in_is_said(error: SMTPException, said: str) -> None:
    with pytest.raises(DeliveryFailed) as caught, name_faults("127.0.0.1:25", SIGN_IN_FAULTS):
        raise error
    assert said in one_sentence(caught)


@pytest.mark.parametrize("fault", [ConnectionResetError(104, "Reset"), BrokenPipeError(32, "Gone")])
def test_a_server_that_goes_in_the_middle_could_be_reached(fault: OSError) -> None:
    refusal = pytest.raises(DeliveryFailed, match="broke off")
    with refusal as caught, name_all_faults("127.0.0.1:25", ADA):
        raise fault
    one_sentence(caught)


def test_a_refused_sender_is_named(start: Start, mail: OutgoingMail) -> None:
    server = start()
    server.sender_reply = "553 5.7.1 Not yours"
    said = r"does not accept the sender \(553 5.7.1 Not yours\): check MASKWATCH_MAIL_FROM"
    with pytest.raises(DeliveryFailed, match=said) as caught:
        in_clear(server).send(mail, ADA)
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
