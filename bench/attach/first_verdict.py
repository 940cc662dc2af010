"""How long it takes from `--learn` on the Flask page of the examples to the first verdict."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx2
from sqlalchemy import select

from bench.attach.sides import SideFailed
from bench.free_ports import find_free_port
from bench.gate.service import running_service
from maskwatch.demo.pictures import encode, figure
from store.configuration.names import PREFIX
from store.engine.start import open_database
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow

_PAGE = Path(__file__).parents[2] / "docs" / "examples" / "flask_page" / "app.py"
_PROGRAM = "from maskwatch.cli import main; main()"
_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.05


def measure_first_verdict() -> dict[str, float]:
    """Seconds: learn from one picture, start the proxy with that, send another, read its record.

    The page runs already, as people's services do, and what is installed is.

    Raises:
        SideFailed: a part does not start, or no verdict comes.
        ServiceFailed: the proxy does not start.
    """
    with TemporaryDirectory(prefix="maskwatch-bench-") as name, _running_page() as page:
        folder = Path(name)
        begin = monotonic()
        preset = _learn(page, folder)
        learned = monotonic()
        with running_service("proxy", VAR_DIR=name, UPSTREAM=page, PRESET=str(preset)) as proxy:
            _upload(proxy.url, seed=2)
            _wait_for_verdict(folder)
        return {"five_minutes": monotonic() - begin, "five_minutes_learning": learned - begin}


def _learn(page: str, folder: Path) -> Path:
    preset, port = folder / "learned.toml", find_free_port()
    options = ["--learn", "--upstream", page, "--requests", "1", "--out", str(preset)]
    variables = {k: value for k, value in os.environ.items() if not k.startswith(PREFIX)}
    own = {f"{PREFIX}VAR_DIR": str(folder), f"{PREFIX}PORT": str(port)}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", _PROGRAM, "proxy", *options],
        env=variables | own,
        stdout=subprocess.DEVNULL,
    )
    try:
        _upload(f"http://127.0.0.1:{port}", seed=1)
        if process.wait(_PATIENCE_SECONDS) != 0:
            raise SideFailed("Nothing was learned.")
    finally:
        process.kill()
    return preset


@contextmanager
def _running_page() -> Iterator[str]:
    command = [sys.executable, str(_PAGE), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        line = process.stdout.readline() if process.stdout else ""
        try:
            yield line.removeprefix("Open ").strip()
        finally:
            process.terminate()


def _upload(url: str, seed: int) -> None:
    """Send a picture, again and again until somebody listens."""
    files = {"image": ("a.png", encode(figure(seed), "", "PNG").data, "image/png")}
    give_up_at = monotonic() + _PATIENCE_SECONDS
    while monotonic() < give_up_at:
        try:
            httpx2.post(f"{url}/predict", files=files, timeout=60).raise_for_status()
        except httpx2.ConnectError:
            sleep(_PAUSE_SECONDS)
        else:
            return
    raise SideFailed("Nobody listens.")


def _wait_for_verdict(folder: Path) -> None:
    database = open_database(StoreSettings(var_dir=folder))
    give_up_at = monotonic() + _PATIENCE_SECONDS
    try:
        while monotonic() < give_up_at:
            with database.read() as session:
                if session.scalar(select(RequestRow.verdict).where(RequestRow.stage == "parsed")):
                    return
            sleep(_PAUSE_SECONDS)
    finally:
        database.close()
    raise SideFailed("No verdict came.")
