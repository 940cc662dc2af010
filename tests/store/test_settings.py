from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError, field_validator

from store.configuration.names import SettingsError
from store.settings import StoreSettings, load_settings

URL = "postgresql+psycopg://robot:s3cret@db.example/maskwatch"


def test_the_default_is_a_sqlite_file_in_the_folder(tmp_path: Path) -> None:
    settings = StoreSettings(var_dir=tmp_path)
    assert settings.store.effective_database_url() == f"sqlite:///{tmp_path / 'maskwatch.db'}"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_VAR_DIR", "elsewhere")
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", URL)
    monkeypatch.setenv("MASKWATCH_OF_ANOTHER_PROCESS", "1")
    settings = load_settings(StoreSettings)
    assert settings.store.var_dir == Path("elsewhere")
    assert settings.store.effective_database_url() == URL


@pytest.mark.parametrize("value", ["soon", "", "nan", "inf", "-1"])
def test_an_absurd_wait_is_refused_with_its_name(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DATABASE_WAIT_SECONDS", value)
    pattern = r"MASKWATCH_DATABASE_WAIT_SECONDS is not usable: [^\n]+\.$"
    with pytest.raises(SettingsError, match=pattern) as caught:
        load_settings(StoreSettings)
    assert caught.value.__cause__ is None


class PairSettings(StoreSettings):
    """Settings of another process, with a rule of their own."""

    pair: tuple[int | None, ...] = ()
    """Numbers."""

    rule: str = ""
    """Named with its variable."""

    @field_validator("rule")
    @classmethod
    def _check(cls, _value: str) -> str:
        raise ValueError("MASKWATCH_RULE and MASKWATCH_PAIR go together")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PAIR", '[1, "x"]', "The setting MASKWATCH_PAIR is not usable: input should be"),
        (
            "RULE",
            "x",
            "The setting MASKWATCH_RULE is not usable: MASKWATCH_RULE and MASKWATCH_PAIR go",
        ),
    ],
)
def test_only_the_variable_is_named_however_deep_the_fault_lies(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MASKWATCH_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings(PairSettings)
    assert str(caught.value).startswith(sentence)


def test_a_password_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = StoreSettings(database_url=SecretStr(URL))
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "s3cret" not in shown
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", URL)
    monkeypatch.setenv("MASKWATCH_DATABASE_WAIT_SECONDS", "soon")
    with pytest.raises(SettingsError) as caught:
        load_settings(StoreSettings)
    assert "s3cret" not in str(caught.value)


def test_settings_do_not_change_while_the_process_runs(tmp_path: Path) -> None:
    settings = StoreSettings(var_dir=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.store.var_dir = Path("elsewhere")  # type: ignore[misc]


def test_every_field_is_documented() -> None:
    for name, field in StoreSettings.model_fields.items():
        assert field.description, name
