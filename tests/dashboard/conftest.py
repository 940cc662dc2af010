"""A day of made-up traffic on a real SQLite file, and the parts of a dashboard around it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

from dashboard.access import page_context
from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts, provide, utc_now
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.people.sign_in import issue_token, redeem_token
from tests.dashboard.made_up_day import Filler, Sample
from tests.dashboard.opened import Signed
from tests.waiting import be_patient

_scan_components = manifest_scanner.scan_component_manifests


def make_parts(var_dir: Path, clock: Callable[[], datetime] = utc_now) -> Parts:
    settings = be_patient(DashboardSettings(var_dir=var_dir))
    return Parts(settings, Database.open(settings), clock)


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """Streamlit's test runner looks through all installed packages for each page: once will do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(_scan_components))
        yield


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sample]:
    """A folder with a filled database, to copy."""
    folder = tmp_path_factory.mktemp("filled")
    parts = make_parts(folder)
    upgrade(parts.database)
    sample = Filler(parts, Random(3)).fill()  # noqa: S311
    parts.database.close()
    return folder, sample


@dataclass(frozen=True)
class Day:
    """A filled database and what is in it."""

    parts: Parts
    sample: Sample


@pytest.fixture
def day(filled_folder: tuple[Path, Sample], tmp_path: Path) -> Iterator[Day]:
    """A day of traffic that a test may change."""
    shutil.copytree(filled_folder[0], tmp_path / "var")
    parts = make_parts(tmp_path / "var")
    yield Day(parts, filled_folder[1])
    parts.database.close()


@pytest.fixture
def nothing(tmp_path: Path, sqlite_template: Path) -> Iterator[Parts]:
    """A database without a single record."""
    (tmp_path / "empty").mkdir()
    shutil.copy(sqlite_template, tmp_path / "empty" / "maskwatch.db")
    parts = make_parts(tmp_path / "empty")
    yield parts
    parts.database.close()


@pytest.fixture
def fixed_now() -> datetime:
    return datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Signed]:
    """Makes a real session; only the cookie that carries it is missing in the test runner."""

    def sign_in(parts: Parts) -> str:
        provide(parts)
        st.cache_data.clear()
        now, hour = parts.clock(), timedelta(hours=1)
        with parts.database.write() as session:
            token = issue_token(session, "tester", now, hour)
            session.flush()
            secret = redeem_token(session, token, now, hour)
        assert secret is not None
        monkeypatch.setattr(page_context, "session_secret", lambda: secret)
        return secret

    yield sign_in
    st.cache_data.clear()
