"""The Flask page of the examples, in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.waiting import PATIENCE_SECONDS

_ROOT = Path(__file__).parents[1]
_SCRIPT = _ROOT / "docs" / "examples" / "flask_page" / "app.py"


@contextmanager
def run_flask_page() -> Iterator[str]:
    """Gives the page's address."""
    command = [sys.executable, str(_SCRIPT), "--port", "0"]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().removeprefix("Open ").strip()
        finally:
            process.terminate()


def send_picture(url: str, png: bytes) -> httpx2.Response:
    """As the page's form does it."""
    files = {"image": ("a.png", png, "image/png")}
    return httpx2.post(f"{url}/predict", files=files, timeout=PATIENCE_SECONDS)
