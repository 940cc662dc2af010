"""The secret of the fingerprints."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from inference.salt import SaltUnusable, fingerprint_salt
from inference.settings import ServiceSettings


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are given a secret; here it is made."""
    monkeypatch.delenv("MASKWATCH_FINGERPRINT_SALT")


def test_it_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    settings = ServiceSettings(var_dir=tmp_path / "var")
    with capture_logs() as logs:
        salt = fingerprint_salt(settings)
    file = tmp_path / "var" / "fingerprint.salt"
    assert len(salt) == 32
    assert [(log["event"], log["path"]) for log in logs] == [
        ("a secret for fingerprints was made", str(file))
    ]
    assert fingerprint_salt(settings) == salt == file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["fingerprint.salt"]
    assert fingerprint_salt(ServiceSettings(var_dir=tmp_path / "other")) != salt


def test_a_setting_counts_more(tmp_path: Path) -> None:
    settings = ServiceSettings(var_dir=tmp_path, fingerprint_salt=SecretStr("a" * 16))
    assert fingerprint_salt(settings) == b"a" * 16
    assert not list(tmp_path.iterdir())


def test_a_damaged_or_unreadable_one_stops_the_start(tmp_path: Path) -> None:
    file = tmp_path / "fingerprint.salt"
    file.write_bytes(b"short")
    with pytest.raises(SaltUnusable, match="shorter than 32 bytes: delete it"):
        fingerprint_salt(ServiceSettings(var_dir=tmp_path))
    file.unlink()
    file.mkdir()
    with pytest.raises(SaltUnusable, match="set MASKWATCH_FINGERPRINT_SALT"):
        fingerprint_salt(ServiceSettings(var_dir=tmp_path))
