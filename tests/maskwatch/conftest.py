"""The command line as people run it, in this process."""

import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
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
    buffer = BytesIO()
    Pillow.fromarray(draw_figure(11).image).save(buffer, "JPEG", quality=90)
    path = tmp_path / "look.jpg"
    path.write_bytes(buffer.getvalue())
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
