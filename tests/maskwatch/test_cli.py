"""What goes wrong at the command line is one clear sentence and a non-zero exit."""

import sqlite3
from pathlib import Path

import pytest

from maskwatch.listener import listen
from tests.maskwatch.conftest import Run


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
    ("command", "setting"), [("serve", "PORT"), ("dashboard", "DASHBOARD_PORT")]
)
def test_a_port_in_use_names_the_setting(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch, command: str, setting: str
) -> None:
    with listen("127.0.0.1", 0) as taken:
        monkeypatch.setenv(f"MASKWATCH_{setting}", str(taken.getsockname()[1]))
        said = maskwatch(command)
    assert said.code == 1
    assert f"set MASKWATCH_{setting} to a free one" in said.err


@pytest.mark.parametrize(
    "command", ["serve", "parse", "jobs", "scan", "dashboard", "dashboard-link", "db", "keys"]
)
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


def test_one_shot_jobs_say_what_they_did(maskwatch: Run) -> None:
    assert "at least 30 clean records" in maskwatch("retrain").out
    assert "No outlier model is promoted yet" in maskwatch("scan").out
    assert "0 alerts fired" in maskwatch("evaluate-alerts").out
    assert "too few flagged pictures" in maskwatch("find-patches").out
    said = maskwatch("notify")
    assert "Sent 0 notifications" in said.out
    assert said.code == 0


def test_a_new_link_names_the_dashboards_address(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_DASHBOARD_URL", "https://maskwatch.example")
    said = maskwatch("dashboard-link")
    assert said.out.startswith("https://maskwatch.example/sign-in?token=")


def test_every_command_explains_itself(maskwatch: Run) -> None:
    said = maskwatch("--help")
    assert said.code == 0
    for command in (
        "serve",
        "parse",
        "jobs",
        "scan",
        "retrain",
        "dashboard",
        "up",
        "demo",
        "db",
        "keys",
    ):
        assert command in said.out
