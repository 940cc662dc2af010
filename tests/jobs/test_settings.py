from pathlib import Path
from typing import Any

import pytest

from jobs.settings import JobSettings
from store.configuration.groups import settings_of
from store.configuration.names import SettingsError
from store.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCAN_INTERVAL_SECONDS", "0"),
        ("SCAN_INTERVAL_SECONDS", "-1"),
        ("RETRAIN_HOUR", "24"),
        ("RETRAIN_TIME_ZONE", "Europe/Entenhausen"),
        ("RETRAIN_TIME_ZONE", "../../etc/passwd"),
        ("RETRAIN_TIME_ZONE", ""),
        ("OUTLIER_P_VALUE", "0"),
        ("OUTLIER_P_VALUE", "0.6"),
        ("OUTLIER_P_VALUE", "nan"),
        ("INVALID_SHARE_THRESHOLD", "nan"),
        ("INVALID_SHARE_THRESHOLD", "inf"),
        ("INVALID_SHARE_THRESHOLD", "-0.05"),
        ("INVALID_SHARE_THRESHOLD", "0"),
        ("INVALID_SHARE_THRESHOLD", "10"),
        ("INVALID_SHARE_THRESHOLD", "1000 %"),
        ("INVALID_SHARE_CRITICAL", "0.01"),
        ("BLOCK_AFTER", "0"),
        ("BLOCK_MINUTES", "-60"),
        ("BLOCK_MINUTES", "1000000"),
        ("DASHBOARD_URL", "javascript:alert(1)"),
        ("SMTP_HOST", "mail example\nX"),
        ("SMTP_PORT", "70000"),
        ("SMTP_TIMEOUT_SECONDS", "0"),
        ("SMTP_HELO_NAME", "a b"),
        ("SMTP_HELO_NAME", "parser\r\nMAIL"),
        ("SMTP_HELO_NAME", "[127.0.0.1"),
        ("SMTP_IMPLICIT_TLS", "465"),
        ("MAIL_TO", ""),
        ("MAIL_TO", "a@example.org,"),
        ("MAIL_TO", "a@example.org\nBcc: b@example.org"),
        ("MAIL_TO", "nobody"),
        ("MAIL_FROM", "a@example.org\r\nSubject: x"),
        ("MAIL_FROM", "a@b@c"),
    ],
)
def test_an_absurd_value_is_refused_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MASKWATCH_{name}", value)
    with pytest.raises(SettingsError, match=f"MASKWATCH_{name} is not usable") as caught:
        load_settings(JobSettings)
    assert "\n" not in str(caught.value)


def test_a_user_name_needs_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_SMTP_USERNAME", "robot")
    with pytest.raises(SettingsError, match="SMTP_PASSWORD is not usable: it is not set"):
        load_settings(JobSettings)


def test_a_password_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"USERNAME": "robot", "PASSWORD": "s3cret", "STARTTLS": "false"}.items():
        monkeypatch.setenv(f"MASKWATCH_SMTP_{name}", value)
    with pytest.raises(SettingsError, match="SMTP_STARTTLS") as caught:
        load_settings(JobSettings)
    assert "s3cret" not in str(caught.value)


def test_several_receivers_are_split(tmp_path: Path) -> None:
    settings = JobSettings(var_dir=tmp_path, mail_to="a@example.org,b@example.org")
    assert settings.mail.recipients == ("a@example.org", "b@example.org")


def test_every_field_is_documented() -> None:
    for name, setting in settings_of(JobSettings).items():
        assert setting.field.description, name


def test_an_address_that_is_given_twice_is_one_receiver() -> None:
    assert JobSettings(mail_to="a@example.org, a@example.org").mail.recipients == ("a@example.org",)


def test_tls_begins_with_the_first_byte_on_port_465_or_where_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not JobSettings().mail.begins_with_tls
    assert JobSettings(smtp_port=465).mail.begins_with_tls
    monkeypatch.setenv("MASKWATCH_SMTP_IMPLICIT_TLS", "true")
    assert load_settings(JobSettings).mail.begins_with_tls
    assert not JobSettings(smtp_port=465, smtp_implicit_tls=False).mail.begins_with_tls


def test_a_choice_that_may_be_left_open_is_a_truth_in_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "maskwatch.toml"
    config.write_text("[mail]\nsmtp_implicit_tls = true\n")
    monkeypatch.setenv("MASKWATCH_CONFIG", str(config))
    assert load_settings(JobSettings).mail.begins_with_tls


def test_a_password_is_sent_where_tls_begins_with_the_first_byte() -> None:
    mail: dict[str, Any] = {
        "smtp_username": "robot",
        "smtp_password": "s3cret",
        "smtp_starttls": False,
    }
    assert JobSettings(**mail, smtp_port=465).mail.smtp_password is not None
    assert JobSettings(**mail, smtp_implicit_tls=True).mail.smtp_password is not None
