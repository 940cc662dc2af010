"""The demo as a newcomer starts it, and a real browser."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from playwright.sync_api import Browser

from tests.browsers import open_browser

_LINK = re.compile(r"http://\S+/sign-in\?token=\S+")


@dataclass(frozen=True)
class Demo:
    """A demo that told its story and stays up."""

    said: str
    link: str
    process: "subprocess.Popen[str]"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """``maskwatch up --demo`` in an empty folder."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {name: v for name, v in os.environ.items() if not name.startswith("MASKWATCH_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "maskwatch", "up", "--demo"],
        cwd=folder,
        env=environment | {"COLUMNS": "160", "PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = "".join(_until_it_stays(process.stdout))
        found = _LINK.search(said)
        assert found, said
        yield Demo(said, found[0], process)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with open_browser() as opened:
        yield opened


def _until_it_stays(lines: IO[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if "Ctrl-C stops everything" in line:
            return
