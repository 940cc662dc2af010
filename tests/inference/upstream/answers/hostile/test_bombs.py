"""Answers that would take all memory or all time are left early."""

import tracemalloc
from collections.abc import Iterator
from itertools import repeat

import pytest

from inference.upstream.answers.formats import (
    AnswerFormat,
    CocoRle,
    JsonPictures,
    NestedLists,
    ScoredMasks,
    Tensors,
)
from tests.inference.upstream.answers.hostile.outcomes import (
    LARGE,
    read_or_say_why,
    refusal_sentence,
)

MEGABYTE = 1 << 20


def _stream(head: bytes, piece: bytes, count: int, tail: bytes = b"") -> Iterator[bytes]:
    yield head
    yield from repeat(piece, count)
    yield tail


def _peak_megabytes(form: AnswerFormat, body: Iterator[bytes], size: tuple[int, int]) -> float:
    tracemalloc.start()
    try:
        assert isinstance(read_or_say_why(form, body, size), str)
        return tracemalloc.get_traced_memory()[1] / MEGABYTE
    finally:
        tracemalloc.stop()


NESTED = NestedLists(scores=None)
BOMBS: dict[str, tuple[AnswerFormat, bytes, bytes]] = {
    "depth": (NESTED, b'{"x": ', b"[" * 65_536),
    "pairs": (NESTED, b'{"x": [', b"[],{}," * 10_000),
    "text": (NESTED, b'{"x": "', b"\\\\" * 30_000),
    "name": (NESTED, b'{"', b"x" * 60_000),
    "names": (NESTED, b'{"x": 1,', b" " * 60_000),
    "scalar": (NESTED, b'{"x": ', b"1" * 60_000),
    "labels": (NESTED, b'{"labels": [', b"1," * 30_000),
    "one row": (NESTED, b'{"masks": [[[', b"0," * 30_000),
    "one number": (NESTED, b'{"masks": [[[', b"0" * 60_000),
    "masks": (NESTED, b'{"masks": [', b"[[]]," * 12_000),
    "tensor": (Tensors(version="v1"), b'{"predictions": [[', b"1," * 30_000),
    "tensor rows": (Tensors(version="v1"), b'{"predictions": [[', b"[1]," * 15_000),
    "tensors": (Tensors(), b'{"outputs": [', b"{}," * 20_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_streams_without_an_end_are_left_in_bounded_memory(name: str) -> None:
    form, head, piece = BOMBS[name]
    # Tensors keep four bytes a number, up to as many as a picture has.
    count = 40 if name.startswith("tensor") else 600
    assert _peak_megabytes(form, _stream(head, piece, count), LARGE) < 24


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 2_000_000,
        b'{"a":' * 400_000,
        b"[" + b"[]," * 2_000_000,
        b"[" + b"0," * 20_000_000,
        b'"' + b"a" * 20_000_000,
    ],
)
def test_bombs_in_short_documents_are_left_in_bounded_memory(body: bytes) -> None:
    for form in (CocoRle(), ScoredMasks(), JsonPictures(pointer="/a")):
        assert _peak_megabytes(form, iter([body]), LARGE) < 3 * len(body) / MEGABYTE + 40


def test_more_masks_than_can_be_read_in_time_are_refused() -> None:
    item = {"label": 1, "score": 1, "mask": "x"}
    assert "more masks" in refusal_sentence(ScoredMasks(), [item] * 513)
    assert "more masks" in refusal_sentence(ScoredMasks(), [item] * 100, size=LARGE)
