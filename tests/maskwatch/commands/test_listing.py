"""What lists say when there is nothing to list."""

import pytest

from tests.maskwatch.conftest import Run

EMPTY = {
    ("decisions", "list"): "No block or allow holds now.",
    ("decisions", "list", "--json"): "No block or allow holds now.",
    ("decisions", "list", "--proposals"): "No block waits for a person.",
    ("detectors", "list"): "There is no outlier model yet",
    ("detectors", "frozen"): "There is no frozen set yet",
    ("families", "list"): "There is no family",
}


@pytest.mark.parametrize(("words", "sentence"), EMPTY.items())
def test_an_empty_list_says_so_beside_its_output(
    maskwatch: Run, words: tuple[str, ...], sentence: str
) -> None:
    assert maskwatch("db", "upgrade").code == 0
    said = maskwatch(*words)
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith(sentence)
    assert said.err.count("\n") == 1
