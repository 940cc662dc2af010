"""``maskwatch proxy presets``."""

import json
from pathlib import Path

from inference.upstream.presets.preset_files import load_preset
from tests.maskwatch.conftest import Run

_NAMES = ["form", "gradio", "hf", "kserve", "modelscope"]


def test_every_preset_is_listed_with_its_doors_and_its_file(maskwatch: Run) -> None:
    said = maskwatch("proxy", "presets")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == _NAMES
    assert "    call       picture  POST      /call" in lines
    files = [Path(line.strip()) for line in lines if line.endswith(".toml")]
    assert [file.stem for file in files if file.is_file()] == _NAMES


def test_each_is_an_object_of_json(maskwatch: Run) -> None:
    views = [json.loads(line) for line in maskwatch("proxy", "presets", "--json").out.splitlines()]
    assert [view["name"] for view in views] == _NAMES
    gradio = views[1]
    assert [door["name"] for door in gradio["doors"]][:2] == ["upload", "call"]
    assert load_preset(gradio["file"]) == load_preset("gradio")
