"""Where values come from, which one counts, and what stops a start."""

import os
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import Field, SecretStr

from store.configuration.groups import Group, settings_of
from store.configuration.names import SettingsError
from store.configuration.sources import find_values
from store.settings import StoreSettings, load_settings
from tests.default_settings import DEFAULTS

URL = "postgresql+psycopg://robot:hunter2@db.example/maskwatch"


class DoorGroup(Group):
    """Numbers and truths."""

    doors: int = Field(3, ge=1)
    """How many."""

    locked: bool = True
    """Whether."""

    password: SecretStr | None = Field(None, min_length=8)
    """Opens them."""


class DoorSettings(StoreSettings):
    """Settings of a process with a secret of its own."""

    door: DoorGroup = Field(default_factory=DoorGroup)


class WriteConfig(Protocol):
    def __call__(self, text: str | bytes, mode: int = 0o600) -> Path: ...


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is given but by these tests."""
    for name in DEFAULTS:
        monkeypatch.delenv(name)


@pytest.fixture
def write_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteConfig:
    """Writes the settings file of the process."""
    path = tmp_path / "settings.toml"
    monkeypatch.setenv("MASKWATCH_CONFIG", str(path))

    def write(text: str | bytes, mode: int = 0o600) -> Path:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return write


def test_the_environment_counts_more_than_the_file_and_keywords_more_than_both(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config("[door]\ndoors = 5\nlocked = false\n[store]\nread_timeout_seconds = 7\n")
    assert DoorSettings().door.doors == 5
    monkeypatch.setenv("maskwatch_doors", "6")
    settings = DoorSettings(read_timeout_seconds=8)
    assert (settings.door.doors, settings.door.locked) == (6, False)
    assert settings.store.read_timeout_seconds == 8


def test_no_file_is_read_that_nobody_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "maskwatch.toml").write_text("[door]\ndoors = 5\n")
    monkeypatch.chdir(tmp_path)
    assert DoorSettings().door.doors == 3


def test_groups_of_other_processes_are_left_to_them(write_config: WriteConfig) -> None:
    write_config("[windows]\nopen = true\n[door]\ndoors = 5\n", mode=0o644)
    assert load_settings(DoorSettings).door.doors == 5


def test_each_value_says_where_it_comes_from(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config, secret = write_config("[door]\ndoors = 5\n"), tmp_path / "secret"
    secret.write_text("correct horse\n")
    monkeypatch.setenv("MASKWATCH_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("MASKWATCH_LOCKED", "false")
    found = find_values(settings_of(DoorSettings), os.environ)
    assert {name: value.origin() for name, value in found.items()} == {
        "doors": f"file {config}:door.doors",
        "locked": "environment MASKWATCH_LOCKED",
        "password": f"secret file {secret} of MASKWATCH_PASSWORD_FILE",
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[door]\ndoors = 0", r"settings.toml:door.doors is not usable: it must be a whole number"),
        ("[door]\ndoors = 'x'", r"settings.toml:door.doors is not usable: it must be a whole nu"),
        ("[door]\ndoors = true", r"settings.toml:door.doors is not usable: it must be a whole"),
        ("[door]\ndoors = 1979-05-27", r"door.doors is not usable: it must be a whole number"),
        ("[door]\nlocked = [1]", r"door.locked is not usable: it must be `true` or `false`"),
        ("[door.doors]\na = 1", r"door.doors is not usable: it must be a whole number"),
        ("[door]\npassword = 5", r"door.password is not usable: it must be secret text, at"),
        ("[door]\npassword_file = 5", r"door.password_file is not usable: it must name a file"),
        ("door = 5", r"In \S+/settings.toml, door must be a table: write \[door\]"),
        ("[[door]]\ndoors = 5", r"In \S+/settings.toml, door must be a table: write \[door\]"),
        ("[door", r"The settings file \S+ is no TOML: "),
        ("[door]\ndoors = 1\ndoors = 2", r"The settings file \S+ is no TOML: "),
        ("a = " + "[" * 5000, r"The settings file \S+ is no TOML: "),
        (b"[door]\ndoors = \xff", r"The settings file \S+ is no text in UTF-8"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_sentence(
    write_config: WriteConfig, text: str | bytes, sentence: str
) -> None:
    write_config(text)
    with pytest.raises(SettingsError, match=sentence) as caught:
        load_settings(DoorSettings)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "why"), [("missing", "no such file"), (".", "is a directory"), ("", "is a directory")]
)
def test_a_settings_file_that_cannot_be_read_stops_the_start(
    name: str, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASKWATCH_CONFIG", name)
    with pytest.raises(SettingsError, match=f"The settings file .* cannot be read: {why}"):
        load_settings(StoreSettings)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_comes_from_a_file_without_the_end_of_its_line(
    end: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(f"{URL}{end}", newline="")
    monkeypatch.setenv("MASKWATCH_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert load_settings(StoreSettings).store.effective_database_url() == URL


def test_the_settings_file_may_name_a_file_of_a_secret_and_be_read_by_all(
    write_config: WriteConfig, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("correct horse")
    write_config(f"[door]\npassword_file = '{tmp_path / 'secret'}'\n", mode=0o644)
    password = load_settings(DoorSettings).door.password
    assert password is not None
    assert password.get_secret_value() == "correct horse"


def test_a_secret_of_the_environment_counts_more_and_the_file_is_not_opened(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config("[door]\npassword_file = '/nowhere'\n")
    monkeypatch.setenv("MASKWATCH_PASSWORD", "battery staple")
    password = load_settings(DoorSettings).door.password
    assert password is not None
    assert password.get_secret_value() == "battery staple"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: no such file or directory"),
        (b"", "must hold the secret in one line and nothing else"),
        (b"\nhunter2hunter2", "must hold the secret in one line and nothing else"),
        (b"hunter2hunter2\nhunter3", "must hold the secret in one line and nothing else"),
        (b"hunter2\xff", "is no text in UTF-8"),
    ],
)
def test_a_secret_file_that_cannot_be_used_stops_the_start(
    content: bytes | None, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("MASKWATCH_PASSWORD_FILE", str(tmp_path / "secret"))
    pattern = f"The file {tmp_path}/secret that MASKWATCH_PASSWORD_FILE names {why}"
    with pytest.raises(SettingsError, match=pattern) as caught:
        load_settings(DoorSettings)
    assert "hunter" not in str(caught.value)


def test_a_bad_secret_is_named_with_what_names_its_file_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("hunter2")
    monkeypatch.setenv("MASKWATCH_PASSWORD_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match="MASKWATCH_PASSWORD_FILE is not usable") as caught:
        load_settings(DoorSettings)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(find_values(settings_of(DoorSettings), os.environ))


def test_both_a_secret_and_its_file_stop_the_start(
    write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_config("[door]\npassword = 'hunter2hunter2'\npassword_file = 'x'\n")
    both = f"{config}:door.password and {config}:door.password_file are both set: take one away"
    with pytest.raises(SettingsError, match=both):
        load_settings(DoorSettings)
    monkeypatch.setenv("MASKWATCH_PASSWORD", "hunter2hunter2")
    monkeypatch.setenv("MASKWATCH_PASSWORD_FILE", "x")
    both = "MASKWATCH_PASSWORD and MASKWATCH_PASSWORD_FILE are both set: take one away"
    with pytest.raises(SettingsError, match=both):
        load_settings(DoorSettings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_in_a_file_that_others_reach_stops_the_start(
    write_config: WriteConfig, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_config("[door]\npassword = 'hunter2hunter2'\n", mode)
    monkeypatch.setenv("MASKWATCH_PASSWORD", "another one")
    pattern = r"holds the secret door.password and others may read it: .*chmod 600"
    with pytest.raises(SettingsError, match=pattern) as caught:
        load_settings(DoorSettings)
    assert "hunter2" not in str(caught.value)


def test_every_problem_is_told(write_config: WriteConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config("[store]\ndatabase_url_file = '/nowhere'\n")
    monkeypatch.setenv("MASKWATCH_PASSWORD_FILE", "/nowhere/else")
    with pytest.raises(SettingsError) as caught:
        load_settings(DoorSettings)
    assert len(caught.value.sentences) == 2
    monkeypatch.delenv("MASKWATCH_PASSWORD_FILE")
    write_config("[store]\nread_timeout_seconds = 0\n[door]\ndoors = 0\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(DoorSettings)
    assert len(caught.value.sentences) == 2
