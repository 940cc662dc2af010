"""Compressed answers, whole, cut, broken and without an end."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.unpack import unpack_chunks

BODY = b"a body of some length " * 50_000


def _cut(data: bytes, length: int) -> Iterator[bytes]:
    return (data[at : at + length] for at in range(0, len(data), length))


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        (" GZIP ", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
    ],
)
@pytest.mark.parametrize("length", [1_000, 1 << 20])
def test_the_body_comes_out(encoding: str, data: bytes, length: int) -> None:
    pieces = list(unpack_chunks(_cut(data, length), encoding, len(BODY)))
    assert b"".join(pieces) == BODY
    assert max(map(len, pieces)) <= max(1 << 18, length)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY)[:-1]),
        ("gzip", gzip.compress(BODY) + b"more"),
        ("gzip", gzip.compress(BODY + b"more")),
        ("gzip", b""),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY))),
        ("br", BODY),
    ],
)
def test_what_cannot_be_unpacked_is_refused(encoding: str, data: bytes) -> None:
    with pytest.raises(AnswerUnreadable):
        list(unpack_chunks(_cut(data, 5_000), encoding, len(BODY)))


@given(data=st.binary())
def test_any_bytes_end_in_bytes_or_a_sentence(data: bytes) -> None:
    with suppress(AnswerUnreadable):
        assert len(b"".join(unpack_chunks([data], "gzip", 1_000))) <= 1_000


def test_a_bomb_ends_at_the_limit() -> None:
    bomb = gzip.compress(bytes(100 << 20))
    pieces: list[bytes] = []
    with pytest.raises(AnswerUnreadable, match="too long"):
        pieces.extend(unpack_chunks([bomb], "gzip", 10 << 20))
    assert 0 < len(b"".join(pieces)) <= 10 << 20
