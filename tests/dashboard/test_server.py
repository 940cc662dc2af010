"""Settings and the port."""

import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from dashboard.server import ensure_home, run
from dashboard.settings import DashboardSettings
from store.configuration.names import SettingsError
from store.engine.database import Database
from store.engine.schema.versions import SchemaError, upgrade
from store.settings import load_settings


def test_loopback_is_the_default(tmp_path: Path) -> None:
    settings = DashboardSettings(var_dir=tmp_path)
    assert settings.dashboard.public_url() == "http://127.0.0.1:8501"
    assert settings.host_names() == {"localhost", "127.0.0.1", "::1"}


def test_an_ipv6_address_is_bracketed(tmp_path: Path) -> None:
    settings = DashboardSettings(var_dir=tmp_path, dashboard_host="::1")
    assert settings.dashboard.public_url() == "http://[::1]:8501"


def test_beyond_loopback_the_public_address_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKWATCH_DASHBOARD_HOST", "0.0.0.0")  # noqa: S104
    with pytest.raises(SettingsError, match="MASKWATCH_DASHBOARD_URL"):
        load_settings(DashboardSettings)
    monkeypatch.setenv("MASKWATCH_DASHBOARD_URL", "https://maskwatch.example/")
    settings = load_settings(DashboardSettings)
    assert settings.dashboard.public_url() == "https://maskwatch.example"
    assert settings.host_names() == {"maskwatch.example"}


@pytest.mark.parametrize("url", ["maskwatch.example", "ftp://x", "https://x/path", "https://"])
def test_a_public_address_must_be_one(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("MASKWATCH_DASHBOARD_URL", url)
    with pytest.raises(SettingsError, match="MASKWATCH_DASHBOARD_URL"):
        load_settings(DashboardSettings)


def test_an_unknown_schema_stops_the_start(tmp_path: Path) -> None:
    settings = DashboardSettings(var_dir=tmp_path, dashboard_port=0)
    database = Database.open(settings)
    upgrade(database)
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(SchemaError, match="9999"), socket.socket() as listener:
        run(settings, listener, lambda _link: None)


_START = """
import os, sys
if os.geteuid() == 0:
    # The real user is asked for a home; the effective one may still read Python's own files.
    os.setresuid({uid}, 0, 0)
from maskwatch.cli import main
sys.argv = ["maskwatch", "dashboard"]
main()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes a user that nobody knows")
def test_it_starts_for_a_user_without_an_entry_and_without_a_home(tmp_path: Path) -> None:
    uid = next(n for n in range(54_321, 60_000) if not _is_known(n))
    kept = {n: v for n, v in os.environ.items() if n not in {"HOME", "USER", "LOGNAME"}}
    environment = {"MASKWATCH_VAR_DIR": str(tmp_path / "var"), "MASKWATCH_DASHBOARD_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", _START.format(uid=uid)],
        env=kept | environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            link = next((line for line in lines if line.startswith("Dashboard: ")), "it ended")
            answer = httpx2.get(link.split()[1], follow_redirects=True, timeout=60)
            assert answer.status_code == 200
        finally:
            process.terminate()


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def test_a_home_that_is_known_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    ensure_home(tmp_path)
    assert os.environ["HOME"] == "/somewhere"


def test_a_home_that_nobody_can_look_into_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("HOME", str(file))
    with capture_logs() as logs:
        ensure_home(tmp_path)
    assert os.environ["HOME"] == str(tmp_path)
    assert len(logs) == 1
