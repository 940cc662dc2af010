"""What goes wrong at the command line is one clear sentence and a non-zero exit."""

import os
import sqlite3
from errno import EACCES
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from maskwatch.cli import app
from maskwatch.commands.jobs.commands import FORMER_NAMES
from maskwatch.commands.panels import Panel
from maskwatch.listener import listen
from store.engine.files.whole_files import write_whole
from tests.maskwatch.conftest import Run
from tests.small_disk import fill_disk, small_disk
from tools.commands_table import list_commands


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "99999", "The setting MASKWATCH_PORT is not usable"),
        ("MODE", "paranoid", "The setting MASKWATCH_MODE is not usable"),
        ("MAX_PIXELS", "-1", "The setting MASKWATCH_MAX_PIXELS is not usable"),
        ("PROT", "8080", "There is no setting MASKWATCH_PROT. Did you mean MASKWATCH_PORT?"),
        ("MODEL", "gone.onnx", "gone.onnx"),
        ("DATABASE_URL", "sqlite:////dev/null/records.db", "MASKWATCH_DATABASE_URL"),
        ("DATABASE_URL", "oracle://user:hunter2@host/x", "MASKWATCH_DATABASE_URL"),
    ],
)
def test_an_unusable_setting_is_named(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"MASKWATCH_{name}", value)
    said = maskwatch("serve")
    assert said.code == 1
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert "hunter2" not in said.err


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("serve", "PORT"),
        ("dashboard", "DASHBOARD_PORT"),
        ("up", "PORT"),
        ("up", "DASHBOARD_PORT"),
    ],
)
def test_a_port_in_use_names_the_setting_before_anything_is_made(
    maskwatch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, setting: str
) -> None:
    with listen("127.0.0.1", 0) as taken:
        monkeypatch.setenv(f"MASKWATCH_{setting}", str(taken.getsockname()[1]))
        said = maskwatch(command)
    assert said.code == 1
    assert f"set MASKWATCH_{setting} to a free one" in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "parse", "jobs", "scan", "dashboard", "db", "keys"])
def test_tables_of_a_later_version_are_left_alone(
    maskwatch: Run, tmp_path: Path, look: Path, command: str
) -> None:
    assert maskwatch("db", "upgrade").code == 0
    with sqlite3.connect(tmp_path / "var" / "maskwatch.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    said = maskwatch(
        command, *{"parse": [str(look)], "db": ["upgrade"], "keys": ["list"]}.get(command, [])
    )
    assert said.code == 1
    assert "schema revision 9999, which this Maskwatch does not know" in said.err
    assert "Traceback" not in said.err


def test_debug_shows_where_it_went_wrong(maskwatch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_PORT", "99999")
    with pytest.raises(Exception, match="MASKWATCH_PORT"):
        maskwatch("--debug", "serve")


def test_a_file_that_the_account_may_not_read_is_named(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(EACCES, "Permission denied", "var/models/9f.safetensors")

    # Root, as whom tests may run, may read everything.
    monkeypatch.setattr("maskwatch.commands.baselines.baseline_views.read_progress", refuse)
    assert maskwatch("db", "upgrade").code == 0
    said = maskwatch("baselines", "list")
    assert said.code == os.EX_NOPERM
    assert said.err == (
        "maskwatch: var/models/9f.safetensors is closed to this account (Permission denied): "
        "run the command as the account that runs Maskwatch.\n"
    )


def test_a_disk_without_room_for_a_file_is_said_and_trying_again_helps(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk:

        def write_file(*_: object) -> None:
            write_whole(disk / "a model", b"tensors")

        monkeypatch.setattr("maskwatch.commands.baselines.baseline_views.read_progress", write_file)
        assert maskwatch("db", "upgrade").code == 0
        fill_disk(disk)
        said = maskwatch("baselines", "list")
    assert said.code == os.EX_TEMPFAIL
    assert said.err.startswith("maskwatch: a disk is full (No space left on device): make room")
    assert said.err.count("\n") == 1


def test_one_shot_jobs_say_what_they_did(maskwatch: Run) -> None:
    assert "at least 30 clean records" in maskwatch("jobs", "run", "retrain").out
    assert "No outlier model is promoted yet" in maskwatch("jobs", "run", "scan").out
    assert "0 alerts fired" in maskwatch("jobs", "run", "evaluate_alerts").out
    assert "too few flagged pictures" in maskwatch("jobs", "run", "find_patches").out
    said = maskwatch("jobs", "run", "notify")
    assert "Sent 0 notifications" in said.out
    assert said.code == 0


def test_the_version_is_that_of_the_installation(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_PROT", "8080")  # a mistake must not keep it from being said
    said = maskwatch("--version")
    assert (said.code, said.out, said.err) == (0, f"maskwatch {version('maskwatch')}\n", "")


def test_help_stands_under_panels_and_begins_with_what_a_newcomer_needs(maskwatch: Run) -> None:
    said = maskwatch("--help")
    assert said.code == 0
    places = [said.out.index(f"─ {panel} ") for panel in Panel]
    assert places == sorted(places)
    assert said.out[places[0] :].splitlines()[1].split()[1] == "up"


def test_every_command_stands_under_a_panel_unless_it_is_hidden() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    panels = {name: getattr(each, "rich_help_panel", None) for name, each in group.commands.items()}
    hidden = {name for name, each in group.commands.items() if each.hidden}
    assert hidden == {*FORMER_NAMES, "baseline"}
    assert {name for name, panel in panels.items() if panel not in set(Panel)} == hidden


@pytest.mark.parametrize("path", [path for path, _ in list_commands(get_command(app))])
def test_every_command_explains_itself(maskwatch: Run, path: tuple[str, ...]) -> None:
    said = maskwatch(*path, "--help")
    assert said.code == 0
    assert " ".join(("Usage: maskwatch", *path)) in said.out
