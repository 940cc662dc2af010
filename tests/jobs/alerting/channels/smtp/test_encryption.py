"""What is encrypted, and what is never sent where it would not be."""

from pathlib import Path

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from tests.jobs.alerting.channels.smtp.sending import ADA, Start, in_clear, one_sentence, signing_in
from tests.mail_server import SIGN_IN, MailServer


def verbs_in_clear(server: MailServer) -> list[bytes]:
    """The verbs of what the client said before encryption."""
    return [line.split()[0].lower() for line in bytes(server.clear).splitlines() if line]


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
