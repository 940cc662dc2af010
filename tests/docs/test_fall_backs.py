"""The list of fall-backs names places and tests that there are."""

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "fall-backs.md"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py):([a-z_]+)`", _PAGE.read_text(encoding="utf-8"))))


def test_every_row_names_a_place_and_a_test() -> None:
    rows = [line for line in _PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert rows
    for row in rows:
        place, _, _, test = row.strip("| ").split(" | ")
        assert not place.startswith("`tests/")
        assert test.startswith("`tests/")


@pytest.mark.parametrize(("file", "name"), _NAMED)
def test_every_place_and_every_test_is_there(file: str, name: str) -> None:
    tree = ast.parse((_ROOT / file).read_text(encoding="utf-8"))
    assert name in {each.name for each in ast.walk(tree) if isinstance(each, _FUNCTIONS)}
