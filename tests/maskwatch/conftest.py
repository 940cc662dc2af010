"""The command line as people run it, in this process."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
import typer.main
from numpy.random import default_rng
from PIL import Image as Pillow

from detectors.verdict import Verdict
from inference.figures import draw_figure
from maskwatch.cli import main
from store.engine.start import open_database
from store.requests.record_store import add_records
from store.settings import StoreSettings
from tests.makers import make_record


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: object
    out: str
    err: str


Run = Callable[..., Said]


def parse_once(folder: Path, *pictures: Path) -> None:
    """``maskwatch parse`` in this process, with all that it writes in ``folder/var``.

    A picture is looked at for a second: tests that begin with a record of it copy the folder.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKWATCH_VAR_DIR", str(folder / "var"))
        patch.setenv("MASKWATCH_EVIDENCE_SAMPLE_SHARE", "1")
        patch.setattr(sys, "argv", ["maskwatch", "parse", *map(str, pictures)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0


def copy_installation(folder: Path, tmp_path: Path) -> None:
    """What :func:`parse_once` wrote, as a test's own."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def commands_built_once() -> Iterator[None]:
    """Typer makes the tree of all commands anew for each one that runs: a process runs one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def maskwatch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Runs ``maskwatch …`` with all that it writes under a folder of its own."""
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path / "var"))
    for port in ("PORT", "DASHBOARD_PORT"):
        monkeypatch.setenv(f"MASKWATCH_{port}", "0")
    # `--config` sets it for children: so it is taken away again after the test.
    monkeypatch.setenv("MASKWATCH_CONFIG", "")
    monkeypatch.delenv("MASKWATCH_CONFIG")

    def run(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["maskwatch", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Said(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """A drawn person as a JPEG file."""
    return save_look(tmp_path)


def save_look(folder: Path) -> Path:
    """A drawn person as a JPEG file in a folder."""
    buffer = BytesIO()
    Pillow.fromarray(draw_figure(11).image).save(buffer, "JPEG", quality=90)
    path = folder / "look.jpg"
    path.write_bytes(buffer.getvalue())
    return path


def save_printed(folder: Path) -> Path:
    """The same person with a printed square, as a PNG file in a folder: it is called crafted."""
    image, square = draw_figure(11).image.copy(), slice(240, 336)
    image[square, square] = default_rng(0).integers(0, 2, (96, 96, 3)) * 255
    path = folder / "printed.png"
    Pillow.fromarray(image).save(path)
    return path


@pytest.fixture
def attacked(tmp_path: Path) -> str:
    """A client that sent four crafted pictures to the installation under ``tmp_path`` just now."""
    client, now = "ip:198.51.100.9", datetime.now(UTC)
    crafted = [
        make_record(
            client=client,
            received_at=now,
            verdict=Verdict.FLAG,
            reasons=("adversarial_picture",),
        )
        for _ in range(4)
    ]
    settings = StoreSettings(var_dir=tmp_path / "var")
    with closing(open_database(settings)) as database, database.write() as session:
        add_records(session, crafted)
    return client
