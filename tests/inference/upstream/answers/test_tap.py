import sys

from inference.upstream.answers.tap import AnswerTap


def test_what_is_within_the_limit_comes_out_as_it_went_in() -> None:
    tap = AnswerTap(limit_bytes=200_000)
    chunks = [b"ab", b"c" * 20_000, b"d", b"e" * 70_000, b"f" * 16_384]
    for chunk in chunks:
        tap.take(chunk)
    assert tap.is_whole
    assert b"".join(tap.drain()) == b"".join(chunks)
    assert list(tap.drain()) == []


def test_beyond_the_limit_nothing_is_kept() -> None:
    tap = AnswerTap(limit_bytes=10)
    tap.take(b"0123456789")
    assert tap.is_whole
    tap.take(b"0")
    tap.take(b"1")
    assert not tap.is_whole
    assert tap.byte_count == 12
    assert list(tap.drain()) == []


def test_many_small_chunks_take_little_more_than_their_bytes() -> None:
    tap = AnswerTap(limit_bytes=1 << 20)
    for _ in range(100_000):
        tap.take(b"ab")
    blocks = list(tap.drain())
    assert sum(map(sys.getsizeof, blocks)) < 1.1 * 200_000
