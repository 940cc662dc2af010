import os
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest

from inference.upstream.answers.errors import AnswerUnreadable
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


def _write_chunks(count: int) -> list[bytes]:
    return [bytes([number % 256]) * (100_000 + number) for number in range(count)]


def _list_open_numbers(folder: Path) -> list[int]:
    numbers = []
    for link in Path("/proc/self/fd").iterdir():
        # Other threads close files meanwhile.
        with suppress(FileNotFoundError):
            if folder.resolve() in link.readlink().parents:
                numbers.append(int(link.name))
    return numbers


def test_a_large_answer_waits_on_disk_and_comes_out_as_it_went_in(tmp_path: Path) -> None:
    tap, chunks = AnswerTap(limit_bytes=1 << 24, folder=tmp_path), _write_chunks(60)
    for chunk in chunks:
        tap.take(chunk)
    copy = tap.copy()
    assert tap.is_whole
    assert b"".join(tap.drain()) == b"".join(chunks)
    assert b"".join(copy.drain()) == b"".join(chunks)
    assert list(tap.drain()) == list(copy.drain()) == []


def test_a_large_answer_takes_little_memory(tmp_path: Path) -> None:
    tap = AnswerTap(limit_bytes=1 << 25, folder=tmp_path)
    tracemalloc.start()
    try:
        for number in range(200):
            tap.take(bytes(100_000 + number))
        size = sum(map(len, tap.drain()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == tap.byte_count > 20_000_000
    assert peak < 4_000_000


def test_the_file_of_an_answer_has_no_name_and_ends_with_its_last_reader(tmp_path: Path) -> None:
    tap = AnswerTap(limit_bytes=1 << 24, folder=tmp_path)
    for chunk in _write_chunks(40):
        tap.take(chunk)
    copy = tap.copy()
    assert list(tmp_path.iterdir()) == []
    assert len(_list_open_numbers(tmp_path)) == 1
    tap.give_up()
    next(copy.drain())
    assert len(_list_open_numbers(tmp_path)) == 1
    del copy
    assert _list_open_numbers(tmp_path) == []


def test_an_answer_that_the_disk_lost_a_part_of_is_unreadable(tmp_path: Path) -> None:
    tap = AnswerTap(limit_bytes=1 << 24, folder=tmp_path)
    for chunk in _write_chunks(60):
        tap.take(chunk)
    [number] = _list_open_numbers(tmp_path)
    os.truncate(f"/proc/self/fd/{number}", 1_000_000)
    with pytest.raises(AnswerUnreadable):
        list(tap.drain())


def test_a_large_answer_without_room_on_disk_is_dropped(tmp_path: Path) -> None:
    tap = AnswerTap(limit_bytes=1 << 24, folder=tmp_path / "missing")
    for chunk in _write_chunks(40):
        tap.take(chunk)
    assert not tap.has_room
    assert list(tap.drain()) == []


@pytest.mark.parametrize("count", [1, 20])
def test_a_small_answer_needs_no_disk(tmp_path: Path, count: int) -> None:
    tap = AnswerTap(limit_bytes=1 << 24, folder=tmp_path / "missing")
    for chunk in _write_chunks(count):
        tap.take(chunk)
    assert tap.is_whole
