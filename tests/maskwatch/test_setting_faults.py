"""What is said of a value that a setting does not take: which it takes, in words of our own."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.settings import ServiceSettings
from jobs.settings import JobSettings
from maskwatch.environment import ALL_SETTINGS
from store.configuration.groups import Setting, settings_of
from store.configuration.names import SettingsError
from store.settings import StoreSettings, load_settings
from tests.default_settings import DEFAULTS

WriteConfig = Callable[[str], Path]
VARIABLES = ["", "eighty", "-1", "9" * 25, "nan"]
VALUES = ["true", "-1", "nan", '""', "[1]", "{a = 1}"]
# Each setting once, with the process that has the fewest others.
READERS: dict[str, tuple[type[StoreSettings], Setting]] = {
    name: (cls, setting)
    for cls in sorted(ALL_SETTINGS, key=lambda each: -len(settings_of(each)))
    for name, setting in settings_of(cls).items()
}
PYDANTIC = re.compile(r"\b(input|should|valid|validation|class|tuple|string)\b|!!")


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test gives what it is about."""
    for name in DEFAULTS:
        monkeypatch.delenv(name)


@pytest.fixture
def write_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteConfig:
    """Writes the settings file that counts."""

    def write(text: str) -> Path:
        file = tmp_path / "settings.toml"
        file.write_text(text)
        file.chmod(0o600)
        monkeypatch.setenv("MASKWATCH_CONFIG", str(file))
        return file

    return write


def _tell(cls: type[StoreSettings]) -> tuple[str, ...]:
    """What is wrong with the settings as they are given."""
    try:
        load_settings(cls)
    except SettingsError as error:
        return error.sentences
    return ()


def _told(name: str, value: str, cls: type[StoreSettings] = ServiceSettings) -> tuple[str, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(f"MASKWATCH_{name}", value)
        return _tell(cls)


@pytest.mark.parametrize("value", VARIABLES)
def test_no_variable_is_refused_in_the_words_of_the_library(value: str) -> None:
    for name, (cls, _setting) in READERS.items():
        for sentence in _told(name.upper(), value, cls):
            assert sentence.startswith("The setting MASKWATCH_"), name
            assert not PYDANTIC.search(sentence), sentence


@pytest.mark.parametrize("value", VALUES)
def test_no_value_of_the_file_is_refused_in_the_words_of_the_library(
    value: str, write_config: WriteConfig
) -> None:
    for name, (cls, setting) in READERS.items():
        file = write_config(f"[{setting.group}]\n{name} = {value}\n")
        for sentence in _tell(cls):
            assert not PYDANTIC.search(sentence.replace(str(file), "")), sentence


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("PORT", "eighty", "it must be a whole number, at least 0, at most 65535"),
        ("MAX_EXPANSION", "inf", "it must be a number, at least 1"),
        ("MODE", "panic", "it must be `monitor` or `enforce`"),
        ("REQUIRE_API_KEY", "sometimes", "it must be `true` or `false`"),
        ("MODEL_DEVICE", "gpu", "it must be text such as `auto`, `cpu`, `cuda` or `cuda:1`"),
        ("FINGERPRINT_SALT", "short", "it must be secret text, at least 16 characters"),
        ("VAR_DIR", "", "it is empty: name a path, or take the setting away"),
        ("HOST", "", "it must be text, not empty"),
        ("TRUSTED_PROXIES", "foo", "its entry 'foo' must be a network such as `10.0.0.0/8`"),
        (
            "TRUSTED_PROXIES",
            "::1,10.1.2.3/8",
            "its entry '10.1.2.3/8' has bits behind its mask: write 10.0.0.0/8",
        ),
        (
            "OBSERVE_MEMORY_BYTES",
            "3000000",
            "it is 32000000, and must be at most a third of MASKWATCH_OBSERVE_MEMORY_BYTES, which "
            "is 3000000",
        ),
    ],
)
def test_one_sentence_says_what_a_setting_takes(name: str, value: str, why: str) -> None:
    blamed = name.replace("MEMORY", "MAX")
    assert _told(name, value) == (f"The setting MASKWATCH_{blamed} is not usable: {why}.",)


def test_each_wrong_entry_has_a_sentence() -> None:
    told = _told("TRUSTED_PROXIES", "foo, 10.0.0.0/8, bar")
    assert [re.search(r"its entry '(\w+)'", sentence)[1] for sentence in told] == ["foo", "bar"]  # type: ignore[index]


def test_truth_is_no_number_and_a_number_no_network(write_config: WriteConfig) -> None:
    file = write_config("[gate]\nmax_pixels = true\n[proxies]\ntrusted_proxies = [1]\n")
    entry = "its entry 1 must be a network such as `10.0.0.0/8`"
    number = "it must be a whole number, at least 1000, at most 400000000"
    assert sorted(_tell(ServiceSettings)) == [
        f"The setting {file}:gate.max_pixels is not usable: {number}.",
        f"The setting {file}:proxies.trusted_proxies is not usable: {entry}.",
    ]


def test_a_list_in_the_file_is_a_list_wherever_commas_make_one(write_config: WriteConfig) -> None:
    write_config(
        "[mail]\nmail_to = ['a@example.org', 'b@example.org']\n"
        "[gate]\ngate_rules = ['blank_picture=flag', 'polyglot=off']\n"
    )
    assert load_settings(JobSettings).mail.recipients == ("a@example.org", "b@example.org")
    assert set(load_settings(ServiceSettings).gate.gate_rules) == {"blank_picture", "polyglot"}


def test_password_and_user_name_are_each_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "it is not set, and MASKWATCH_SMTP_USERNAME is: set both or none"
    assert _told("SMTP_USERNAME", "robot", JobSettings) == (
        f"The setting MASKWATCH_SMTP_PASSWORD is not usable: {why}.",
    )
    monkeypatch.setenv("MASKWATCH_SMTP_PASSWORD", "hunter2")
    why = "it belongs to a user: set MASKWATCH_SMTP_USERNAME too, or take it away"
    assert _tell(JobSettings) == (f"The setting MASKWATCH_SMTP_PASSWORD is not usable: {why}.",)
    assert _told("SMTP_USERNAME", "", JobSettings) == (
        "The setting MASKWATCH_SMTP_USERNAME is not usable: it must be text, not empty.",
    )


def test_the_critical_share_is_compared_also_where_it_is_the_default() -> None:
    told = _told("INVALID_SHARE_THRESHOLD", "0.5", JobSettings)
    assert [sentence.split(" is not usable")[0] for sentence in told] == [
        "The setting MASKWATCH_INVALID_SHARE_CRITICAL"
    ]
