"""Presets as TOML."""

from pathlib import Path

import pytest

from inference.labels.label_table import LabelTable
from inference.upstream.learning.preset_text import write_preset
from inference.upstream.presets.preset_files import list_preset_files, load_preset

_ODD = ('a"b', "c\\d", "e\nf\x1b[2J", "\u202ex", "\U0001f600", "\x7f\x85")


@pytest.mark.parametrize("path", list_preset_files(), ids=lambda path: path.stem)
def test_a_shipped_preset_comes_back(path: Path, tmp_path: Path) -> None:
    preset = load_preset(path.stem)
    file = tmp_path / "own.toml"
    file.write_text(write_preset(preset, ["One\nline."]), encoding="utf-8")
    assert load_preset(str(file)) == preset


def test_odd_names_come_back_and_move_no_cursor(tmp_path: Path) -> None:
    labels = LabelTable(names=("bg", *_ODD), groups={_ODD[0]: "face"})
    preset = load_preset("form").model_copy(update={"labels": labels})
    text = write_preset(preset, ["\x1b[2J"])
    assert all(line.isprintable() for line in text.split("\n"))
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    assert load_preset(str(file)) == preset
