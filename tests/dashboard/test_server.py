"""Settings and the port."""

import socket
from pathlib import Path

import pytest

from dashboard.server import run
from dashboard.settings import DashboardSettings
from store.configuration.names import SettingsError
from store.engine.database import Database
from store.engine.schema import SchemaError, upgrade
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
