"""Reasons that people give."""

import pytest

from store.audit.reasons import MAX_REASON_LENGTH, ReasonError, read_reason


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (" \n", "Say why"),
        ("x" * (MAX_REASON_LENGTH + 1), "501 characters: write at most 500"),
        ("a\0b", "no text"),
        ("a\udcffb", "no text"),
    ],
)
def test_a_reason_that_cannot_be_kept_is_refused(typed: str, why: str) -> None:
    with pytest.raises(ReasonError, match=why):
        read_reason(typed)


def test_a_reason_may_be_written_in_any_script() -> None:
    assert read_reason(" Наш сканер\n<b>🙂 ") == "Наш сканер\n<b>🙂"
    assert len(read_reason("x" * MAX_REASON_LENGTH)) == MAX_REASON_LENGTH
