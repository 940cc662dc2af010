"""``maskwatch screen``: one line a file, whatever the file is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.maskwatch.conftest import Run, Said

_KEYS = {"path", "outcome", "code", "width", "height", "ms", "peak_mb"}


def _lines(said: Said) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in said.out.splitlines()]
    return {Path(line["path"]).name: line for line in found}


def test_a_photo_is_accepted_with_its_size_and_cost(maskwatch: Run, look: Path) -> None:
    said = maskwatch("screen", str(look), "--json")
    line = _lines(said)["look.jpg"]
    assert said.code == 0
    assert set(line) == _KEYS
    assert (line["outcome"], line["code"]) == ("accept", "")
    assert line["width"] > 0
    assert line["height"] > line["width"]
    assert line["ms"] > 0
    assert line["peak_mb"] > 0


def test_a_bad_file_stops_nothing(maskwatch: Run, tmp_path: Path, look: Path) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    whole = look.read_bytes()
    (folder / "a-empty.jpg").touch()
    (folder / "b-text.jpg").write_text("no picture")
    (folder / "c-cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "d-polyglot.jpg").write_bytes(whole + b"PK\x03\x04 and more" * 500)
    (folder / "e-name.png").write_bytes(whole)
    (folder / "f-good.jpg").write_bytes(whole)
    said = maskwatch("screen", str(folder), str(tmp_path / "gone.jpg"), "--json")
    lines = _lines(said)
    assert said.code == 1
    assert {name: (line["outcome"], line["code"]) for name, line in lines.items()} == {
        "a-empty.jpg": ("refuse", "empty_upload"),
        "b-text.jpg": ("refuse", "unsupported_type"),
        "c-cut.jpg": ("refuse", "truncated"),
        "d-polyglot.jpg": ("flag", "polyglot"),
        "e-name.png": ("accept", "file_name_differs"),
        "f-good.jpg": ("accept", ""),
        "gone.jpg": ("refuse", "cannot_be_read"),
    }


def test_a_file_over_the_limit_is_not_even_read(
    maskwatch: Run, look: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_MAX_UPLOAD_BYTES", "1000")
    line = _lines(maskwatch("screen", str(look), "--json"))["look.jpg"]
    assert (line["outcome"], line["code"]) == ("refuse", "too_many_bytes")


def test_rules_follow_the_settings(
    maskwatch: Run, look: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look.write_bytes(look.read_bytes() + b"PK\x03\x04 and more" * 500)
    monkeypatch.setenv("MASKWATCH_GATE_RULES", "polyglot=off, trailing_data=refuse")
    line = _lines(maskwatch("screen", str(look), "--json"))["look.jpg"]
    assert (line["outcome"], line["code"]) == ("refuse", "trailing_data")


def test_nothing_is_recorded(maskwatch: Run, look: Path, tmp_path: Path) -> None:
    said = maskwatch("screen", str(look))
    assert said.code == 0
    assert "accept" in said.out
    assert not (tmp_path / "var").exists()


def test_a_rule_that_does_not_exist_is_named(
    maskwatch: Run, look: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_GATE_RULES", "polyglott=off")
    said = maskwatch("screen", str(look))
    assert said.code == 1
    assert "MASKWATCH_GATE_RULES" in said.err
    assert "'polyglott'" in said.err
