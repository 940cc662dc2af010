"""A dashboard as users start it, and pages of it in a real browser."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from dashboard.server import new_link
from dashboard.wiring import Parts
from tests.browsers import open_browser
from tests.dashboard.conftest import make_parts
from tests.dashboard.made_up_day import Sample
from tests.waiting import DATABASE_LIMITS, PATIENCE_SECONDS

_LINK = re.compile(r"http://127\.0\.0\.1:\d+/sign-in\?token=\S+")
PATIENCE_MS = 1000 * PATIENCE_SECONDS


@dataclass(frozen=True)
class Running:
    """A dashboard process, and the database that it shows.

    Attributes:
        url: of its first page, without a slash at the end.
    """

    url: str
    parts: Parts
    sample: Sample

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(urlsplit(self.url).port or 0)

    def new_link(self) -> str:
        """A link that signs one browser in."""
        made = new_link(self.parts.settings, self.parts.database, self.parts.clock())
        return f"{self.url}{urlsplit(made).path}?{urlsplit(made).query}"


@contextmanager
def run_dashboard(folder: Path, **settings: str) -> Iterator[str]:
    """``maskwatch dashboard`` on a folder and a free port; gives its address."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MASKWATCH_")}
    environment |= {"MASKWATCH_VAR_DIR": str(folder), "MASKWATCH_DASHBOARD_PORT": "0"}
    settings = dict.fromkeys(DATABASE_LIMITS, str(PATIENCE_SECONDS)) | settings
    environment |= {f"MASKWATCH_{name.upper()}": value for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "maskwatch", "dashboard"],
        env=environment | {"COLUMNS": "160"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        link = _LINK.search(line)
        assert link, line
        yield link[0].partition("/sign-in")[0]
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


@contextmanager
def run_day(filled: tuple[Path, Sample], folder: Path, **settings: str) -> Iterator[Running]:
    """A dashboard of a day of traffic, of which a new folder gets a copy."""
    shutil.copytree(filled[0], folder)
    parts = make_parts(folder)
    with closing(parts.database), run_dashboard(folder, **settings) as url:
        yield Running(url, parts, filled[1])


@pytest.fixture(scope="session")
def running(
    filled_folder: tuple[Path, Sample], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """A dashboard that tests share: what one of them adds, others do not count."""
    folder = tmp_path_factory.mktemp("running") / "var"
    # A browser on a busy machine may be slow to ask, and to read.
    patience = dict.fromkeys(("header_seconds", "body_seconds", "send_seconds"), "600")
    with run_day(filled_folder, folder, **patience) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Opens tabs of one browser that nobody signed in yet."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page
    context.close()
