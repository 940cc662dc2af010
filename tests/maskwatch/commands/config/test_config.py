"""``maskwatch config``, as people run it."""

import json
import os
import re
from pathlib import Path

import pytest

from maskwatch.commands.config.draft import build_draft
from maskwatch.environment import ALL_SETTINGS, all_groups, all_settings
from store.configuration.groups import groups_of
from store.settings import load_settings
from tests.default_settings import DEFAULTS
from tests.maskwatch.conftest import Run

SECRETS = sorted(name for name, setting in all_settings().items() if setting.is_secret)
HEADINGS = [f"[{name}]" for name in all_groups()]
WRONG = """\
[gate]
max_pixels = 1
max_sid = 2
[mail]
smtp_port = "x"
"""


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is given but by these tests."""
    for name in DEFAULTS:
        monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text("[gate]\nmax_pixels = 5000\ngate_rules = {blank_picture = 'flag'}\n")
    return path


def test_show_says_of_each_setting_where_it_comes_from(
    maskwatch: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_MAX_SIDE", "500")
    said = maskwatch("--config", str(config), "config", "show")
    assert said.code == 0
    lines = [line.strip() for line in said.out.splitlines()]
    assert f"max_pixels = 5000  # file {config}:gate.max_pixels" in lines
    assert "max_side = 500  # environment MASKWATCH_MAX_SIDE" in lines
    assert "min_side = 8  # default" in lines
    assert 'gate_rules = {"blank_picture" = "flag"}' in said.out
    assert [line for line in lines if line.startswith("[")] == [
        f"[{name}]" for name in all_groups()
    ]


def test_no_secret_is_shown(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2-hunter2-hunter2\n")
    for name in SECRETS:
        monkeypatch.setenv(f"MASKWATCH_{name.upper()}_FILE", str(secret))
    monkeypatch.setenv("MASKWATCH_SMTP_USERNAME", "robot")
    monkeypatch.delenv("MASKWATCH_DATABASE_URL_FILE")
    monkeypatch.setenv("MASKWATCH_DATABASE_URL", "postgresql+psycopg://u:hunter2@h/d")
    as_text, as_json = maskwatch("config", "show"), maskwatch("config", "show", "--json")
    assert (as_text.code, as_json.code) == (0, 0)
    assert "hunter2" not in as_text.out + as_json.out + as_text.err + as_json.err
    groups = json.loads(as_json.out)
    shown = {name: group[name] for group in groups.values() for name in group if name in SECRETS}
    assert sorted(shown) == SECRETS
    assert {each["value"] for each in shown.values()} == {"**********"}
    assert shown["smtp_password"]["from"] == f"secret file {secret} of MASKWATCH_SMTP_PASSWORD_FILE"


def test_check_tells_every_problem_once(maskwatch: Run, config: Path) -> None:
    assert maskwatch("--config", str(config), "config", "check").code == 0
    config.write_text(WRONG)
    said = maskwatch("--config", str(config), "config", "check")
    assert said.code == 1
    assert len(said.err.splitlines()) == 3
    for name in ("gate.max_sid", "gate.max_pixels", "mail.smtp_port"):
        assert said.err.count(f"{name} ") == 1


def test_check_notes_a_secret_that_all_may_read_and_does_not_refuse_it(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef")
    monkeypatch.setenv("MASKWATCH_FINGERPRINT_SALT_FILE", str(secret))
    secret.chmod(0o444)
    said = maskwatch("config", "check")
    assert said.code == 0
    assert f"Every user of this machine who reaches {secret} may read the secret" in said.out
    secret.chmod(0o440)
    assert "Note" not in maskwatch("config", "check").out


def test_check_notes_whom_enforced_blocks_will_hit(
    maskwatch: Run, attacked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Note" not in maskwatch("config", "check").out
    monkeypatch.setenv("MASKWATCH_SIMULATE_BLOCKS", "false")
    said = maskwatch("config", "check")
    assert said.code == 0
    assert f"Note: The next `decide` will block {attacked}: 4 crafted pictures in" in said.out


def test_init_writes_a_private_file_and_leaves_what_is_there(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert maskwatch("config", "init").code == 0
    written = tmp_path / "maskwatch.toml"
    assert written.stat().st_mode & 0o777 == 0o600
    written.write_text("mine")
    said = maskwatch("config", "init")
    assert (said.code, written.read_text()) == (1, "mine")
    assert "maskwatch.toml exists: it is left as it is." in said.err
    assert "cannot be written" in maskwatch("config", "init", "nowhere/maskwatch.toml").err


def test_what_init_writes_changes_nothing(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "new.toml")
    assert maskwatch("config", "init", file).code == 0
    shown = json.loads(maskwatch("--config", file, "config", "show", "--json").out)
    given = {each["from"] for group in shown.values() for each in group.values()}
    assert given == {"default", "environment MASKWATCH_VAR_DIR"} | {
        f"environment MASKWATCH_{name}" for name in ("PORT", "DASHBOARD_PORT")
    }


def test_what_init_writes_is_valid_as_a_whole_and_equals_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = [cls() for cls in ALL_SETTINGS]
    text, times = re.subn(r"^#(?=[a-z_]+ = )", "", build_draft(), flags=re.MULTILINE)
    assert times > 80
    file = tmp_path / "whole.toml"
    file.write_text(text)
    monkeypatch.setenv("MASKWATCH_CONFIG", str(file))
    assert [load_settings(cls) for cls in ALL_SETTINGS] == defaults


def test_what_init_writes_names_every_setting_with_its_meaning() -> None:
    draft = build_draft()
    lines = draft.splitlines()
    assert [line for line in lines if line.startswith("[")] == [
        f"[{name}]" for name in all_groups()
    ]
    assert max(map(len, lines)) <= 120
    for name, setting in all_settings().items():
        assert re.search(rf"^# ?{name} = ", draft, re.MULTILINE), name
        assert setting.variable in draft


def test_the_file_that_the_option_names_counts_and_reaches_children(
    maskwatch: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_CONFIG", "/nowhere.toml")
    monkeypatch.chdir(config.parent)
    assert maskwatch("--config", config.name, "config", "check").code == 0
    assert os.environ["MASKWATCH_CONFIG"] == str(config)


@pytest.mark.parametrize("command", [("scan",), ("keys", "list"), ("config", "show")])
def test_every_command_stops_at_a_misspelt_name_in_the_file(
    maskwatch: Run, config: Path, command: tuple[str, ...]
) -> None:
    config.write_text("[gate]\nmax_pixel = 5\n")
    said = maskwatch("--config", str(config), *command)
    assert said.code == 1
    sentence = f"There is no setting gate.max_pixel in {config}. Did you mean gate.max_pixels?"
    assert said.err == f"maskwatch: {sentence}\n"


def test_one_file_serves_all_processes(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("[gate]\nmax_pixels = 5000\n[mail]\nsmtp_port = 25\n[sign_in]\n")
    monkeypatch.setenv("MASKWATCH_CONFIG", str(config))
    for cls in ALL_SETTINGS:
        loaded = load_settings(cls).model_dump()
        assert "gate" not in groups_of(cls) or loaded["gate"]["max_pixels"] == 5000
        assert "mail" not in groups_of(cls) or loaded["mail"]["smtp_port"] == 25
