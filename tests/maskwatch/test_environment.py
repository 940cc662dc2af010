"""Names of settings: each means one thing; a misspelt one is told with the nearest right one."""

from collections import Counter
from pathlib import Path

import pytest

from maskwatch.environment import ALL_SETTINGS, all_groups, all_settings, check_names
from store.configuration.groups import groups_of
from store.configuration.names import SettingsError


def test_a_flat_name_stands_in_one_group_and_is_no_groups_name() -> None:
    names = Counter(name for group in all_groups().values() for name in group.model_fields)
    assert [name for name, times in names.items() if times > 1] == []
    assert not names.keys() & all_groups().keys()


def test_the_file_of_a_secret_and_of_the_settings_have_names_of_their_own() -> None:
    names = Counter(name for setting in all_settings().values() for name in setting.names)
    assert [name for name, times in names.items() if times > 1] == []
    assert "config" not in names


def test_a_group_is_the_same_in_every_process() -> None:
    for cls in ALL_SETTINGS:
        for name, group in groups_of(cls).items():
            assert all_groups()[name] is group


def test_names_that_exist_are_left_alone(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[gate]\nmax_pixels = 5\n[mail]\nsmtp_password_file = 'x'\n")
    check_names(
        {
            "PATH": "/bin",
            "maskwatch_port": "1",
            "MASKWATCH_CONFIG": str(config),
            "MASKWATCH_FINGERPRINT_SALT_FILE": "x",
        }
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("MASKWATCH_PROT", "There is no setting MASKWATCH_PROT. Did you mean MASKWATCH_PORT?"),
        ("MASKWATCH_SMTP_PASSWORD_FIEL", "Did you mean MASKWATCH_SMTP_PASSWORD_FILE?"),
        ("MASKWATCH_CONFIGG", "Did you mean MASKWATCH_CONFIG?"),
        ("MASKWATCH_PORT_FILE", "There is no setting MASKWATCH_PORT_FILE."),
        ("MASKWATCH_GATE__MAX_PIXELS", "There is no setting MASKWATCH_GATE__MAX_PIXELS."),
        ("MASKWATCH_XYZZY_QUX", "See docs/settings.md."),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest(name: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        check_names({name: "hunter2"})
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_others_may_read_stops_processes_that_do_not_need_it_too(
    tmp_path: Path,
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("[mail]\nsmtp_password = 'hunter2'\n")
    config.chmod(0o640)
    with pytest.raises(SettingsError, match=r"holds the secret mail.smtp_password") as caught:
        check_names({"MASKWATCH_CONFIG": str(config)})
    assert "hunter2" not in str(caught.value)
    config.chmod(0o600)
    check_names({"MASKWATCH_CONFIG": str(config)})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[gat]\na = 1", "There is no group of settings gat in {path}. Did you mean gate?"),
        ("port = 1", "There is no group of settings port in {path}. Did you mean service.port?"),
        ("[gate]\nmax_pixel = 1", "gate.max_pixel in {path}. Did you mean gate.max_pixels?"),
        ("[gate]\nport = 1", "There is no setting gate.port in {path}. Did you mean service.port?"),
        ("[mail]\nsmtp_port_file = 'x'", "There is no setting mail.smtp_port_file in {path}."),
        ("[gate]\nqwxz = 1", "There is no setting gate.qwxz in {path}. See docs/settings.md."),
        ("gate = 1", "In {path}, gate must be a table: write [gate]."),
    ],
)
def test_a_misspelt_name_in_the_file_is_told_with_the_nearest(
    tmp_path: Path, text: str, sentence: str
) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(text)
    with pytest.raises(SettingsError) as caught:
        check_names({"MASKWATCH_CONFIG": str(config)})
    assert sentence.format(path=config) in str(caught.value)
