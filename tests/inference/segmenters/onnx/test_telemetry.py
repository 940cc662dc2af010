"""A network that runs tells nobody of it, and leaves nothing outside of our own folders."""

import os
import subprocess
import sys
from pathlib import Path

import inference.segmenters.reference

_WEIGHTS = Path(inference.segmenters.reference.__file__).with_name("weights.onnx")
_RUN = """
import sys
from pathlib import Path
from inference.segmenters.onnx_session import open_session

session = open_session(Path(sys.argv[1]).read_bytes(), 1)
print(*(each.name for each in session.get_inputs()))
"""
# ONNX Runtime is silent on build servers and in its own tests.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")


def _run_network(home: Path, **more: str) -> set[str]:
    """What a process leaves in an empty home and an empty temporary folder."""
    home.mkdir()
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, str(_WEIGHTS)],
        cwd=Path(__file__).parents[4],
        env={**environment, "HOME": str(home), "TMPDIR": str(home), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()
    return {path.name for path in home.rglob("*") if path.is_file()}


def test_a_network_leaves_no_number_of_the_machine_and_queues_no_events(tmp_path: Path) -> None:
    assert _run_network(tmp_path / "home") == set()


def test_nobody_turns_it_on_again_by_accident(tmp_path: Path) -> None:
    assert _run_network(tmp_path / "home", ORT_DISABLE_TELEMETRY="0") == set()
