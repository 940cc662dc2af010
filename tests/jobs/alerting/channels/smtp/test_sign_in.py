"""Why nobody can sign in is said, and the password is not."""

from pathlib import Path
from smtplib import SMTPAuthenticationError, SMTPException, SMTPServerDisconnected

import pytest

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.alerting.channels.mail import OutgoingMail
from jobs.alerting.channels.smtp_faults import SIGN_IN_FAULTS, name_faults
from tests.jobs.alerting.channels.smtp.sending import ADA, Start, one_sentence, signing_in


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
