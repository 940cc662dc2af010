"""The system's Chromium, for tests that open pages in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.waiting import PATIENCE_SECONDS

_NAMES = ("chromium", "google-chrome", "chromium-browser")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser of its own; the test is skipped where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine: `make browser` installs it")
    with sync_playwright() as playwright:
        # Its sandbox does not start as root, and it opens nothing but our own pages.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=path, args=arguments, timeout=1000 * PATIENCE_SECONDS
        )
        yield browser
        browser.close()
