from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError, field_validator

from store.configuration.comma_lists import CommaList
from store.configuration.groups import Group, settings_of
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


class PairGroup(Group):
    """Settings with a rule of their own."""

    pair: CommaList[int | None] = ()
    """Numbers."""

    rule: str = ""
    """Named with its variable."""

    @field_validator("rule")
    @classmethod
    def _check(cls, _value: str) -> str:
        raise ValueError("MASKWATCH_RULE and MASKWATCH_PAIR go together")


class PairSettings(StoreSettings):
    """Settings of another process."""

    pairs: PairGroup = Field(default_factory=PairGroup)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PAIR", "1,x", "The setting MASKWATCH_PAIR is not usable: its entry 'x' must be"),
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
    for name, setting in settings_of(StoreSettings).items():
        assert setting.field.description, name


def test_a_copy_takes_flat_names_and_leaves_the_original(tmp_path: Path) -> None:
    settings = StoreSettings(var_dir=tmp_path, start_check_seconds=1)
    copied = settings.model_copy(update={"start_check_seconds": 3})
    assert (copied.store.var_dir, copied.store.start_check_seconds) == (tmp_path, 3)
    assert settings.store.start_check_seconds == 1


def test_a_misspelt_keyword_is_refused_and_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="StoreSettings has no setting 'var_dri'"):
        StoreSettings(var_dri=tmp_path)
    with pytest.raises(TypeError, match="has no setting 'var_dri'"):
        StoreSettings().model_copy(update={"var_dri": tmp_path})


def test_a_group_that_is_given_counts_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = StoreSettings(var_dir=tmp_path).store
    monkeypatch.setenv("MASKWATCH_START_CHECK_SECONDS", "1")
    assert StoreSettings(store=group).store is group


def test_a_secret_that_cannot_be_used_never_shows_in_an_error() -> None:
    with pytest.raises(ValidationError) as caught:
        StoreSettings(database_url=["hunter2"], start_check_seconds="hunter3")
    assert "hunter" not in str(caught.value)
