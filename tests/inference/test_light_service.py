"""A service with the reference segmenter never loads torch, also not through a library."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE_SECONDS

HEAVY = ("torch", "torchvision", "modelscope", "timm", "datasets", "onnx")
# Takes longer than all else that a signature needs; without one nothing of it is needed.
SIGNING = ("model_signing", "sigstore", "requests")
_SERVE = """
import sys
from pathlib import Path
from inference.figures import draw_figure
from inference.service import build_service
from inference.settings import ServiceSettings

service = build_service(ServiceSettings(var_dir=Path(sys.argv[1])))
image = draw_figure(11).image
assert service.pipeline.segmenter.parse(image).label_map.any()
service.pipeline.segmenter.probabilities([image, image], 0.75)
service.close()
"""
_DOCTOR = """
import sys
from pathlib import Path
from inference.settings import ServiceSettings
from maskwatch.commands.machine.doctor import examine_machine

checks = examine_machine(ServiceSettings(var_dir=Path(sys.argv[1])))
assert any(check.name == "segmenter" for check in checks)
"""
_COMMAND = "import maskwatch.cli"
# As if they were not installed.
_WITHOUT = """
import sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec

def find_light(name, path=None, target=None):
    return None if name in {heavy!r} else find(name, path, target)

PathFinder.find_spec = find_light
"""
_LISTED = "\nprint(*sorted(set(sys.modules) & {heavy!r}))\n"


def _run(script: str, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script, str(folder), *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("script", [_SERVE, _DOCTOR, _COMMAND], ids=["serve", "doctor", "help"])
def test_nothing_heavy_is_loaded(script: str, tmp_path: Path) -> None:
    listed = _LISTED.format(heavy={*HEAVY, *SIGNING})
    done = _run(f"import sys\n{script}{listed}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    ("words", "extra"),
    [(("serve", "--segmenter", "m2fp"), "m2fp"), (("demo", "--once"), "dev")],
    ids=["m2fp", "demo"],
)
def test_what_needs_more_says_what_to_install(
    words: tuple[str, ...], extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_VAR_DIR", str(tmp_path))
    monkeypatch.setenv("MASKWATCH_PORT", "0")
    start = "sys.argv[1:2] = []\nfrom maskwatch.cli import main\nmain()"
    done = _run(f"{_WITHOUT.format(heavy=set(HEAVY))}\n{start}", tmp_path, *words)
    assert done.returncode == 1
    assert f"pip install 'maskwatch[{extra}]'" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("maskwatch:")]) == 1
    assert "Traceback" not in done.stderr
