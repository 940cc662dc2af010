import mmap
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gate.sandbox.arena import Arena

UPLOAD_BYTES, PIXELS = 10_000, 8_000_000


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    made = Arena.make(UPLOAD_BYTES, PIXELS)
    yield made
    made.close()


def _taken(arena: Arena, length: int) -> bytes:
    with arena.pixels(length) as pixels:
        return bytes(pixels)


def _used_bytes(arena: Arena) -> int:
    return os.fstat(arena.descriptor).st_blocks * 512


@given(st.binary(max_size=UPLOAD_BYTES))
def test_an_upload_comes_out_as_it_went_in(arena: Arena, data: bytes) -> None:
    arena.put_upload(data)
    assert arena.upload(len(data)) == data


def test_the_regions_do_not_overlap(arena: Arena) -> None:
    pixels = bytes([7]) * 30_000
    arena.put_pixels(pixels, 0)
    arena.put_upload(b"\xff" * UPLOAD_BYTES)
    assert _taken(arena, 30_000) == pixels
    arena.put_pixels(bytes(30_000), 0)
    assert arena.upload(UPLOAD_BYTES) == b"\xff" * UPLOAD_BYTES


def test_pixels_are_laid_down_strip_by_strip(arena: Arena) -> None:
    place = arena.put_pixels(b"one", 0)
    place = arena.put_pixels(b"three", place)
    assert (place, _taken(arena, 8)) == (8, b"onethree")


def test_pixels_reach_to_the_last_byte_and_not_beyond(arena: Arena) -> None:
    assert arena.put_pixels(b"end", 4 * PIXELS - 3) == 4 * PIXELS
    assert _taken(arena, 4 * PIXELS)[-3:] == b"end"
    with pytest.raises(IndexError):
        arena.put_pixels(b"end", 4 * PIXELS - 2)
    assert len(_taken(arena, 4 * PIXELS + 1)) == 4 * PIXELS
    arena.tidy(4 * PIXELS)


def test_pixels_are_lent_and_not_copied(arena: Arena) -> None:
    arena.put_pixels(b"first", 0)
    with arena.pixels(5) as lent:
        assert bytes(lent) == b"first"
        arena.put_pixels(b"later", 0)
        assert bytes(lent) == b"later"


def test_pixels_are_taken_from_any_memory(arena: Arena) -> None:
    lent = memoryview(bytearray(b"some pixels"))[5:]
    assert arena.put_pixels(lent, 0) == 6
    assert _taken(arena, 6) == b"pixels"


def test_more_than_the_region_takes_is_not_written(arena: Arena) -> None:
    room = -(-UPLOAD_BYTES // mmap.PAGESIZE) * mmap.PAGESIZE
    arena.put_pixels(b"pixels", 0)
    arena.put_upload(b"\xff" * room)
    with pytest.raises(ValueError, match="larger than the arena"):
        arena.put_upload(b"\1" * (room + 1))
    assert arena.upload(room) == b"\xff" * room
    assert _taken(arena, 6) == b"pixels"


def test_the_other_side_sees_the_same_memory(arena: Arena) -> None:
    other = Arena(os.dup(arena.descriptor), UPLOAD_BYTES, PIXELS)
    arena.put_upload(b"an upload")
    other.put_pixels(b"its pixels", 0)
    assert other.upload(9) == b"an upload"
    assert _taken(arena, 10) == b"its pixels"
    other.close()


@pytest.mark.parametrize("size", [0, mmap.PAGESIZE, 10**9])
def test_no_side_can_change_the_size(arena: Arena, size: int) -> None:
    before = os.fstat(arena.descriptor).st_size
    with pytest.raises(PermissionError):
        os.ftruncate(arena.descriptor, size)
    assert os.fstat(arena.descriptor).st_size == before


def test_a_large_picture_gives_its_memory_back(arena: Arena) -> None:
    arena.put_pixels(b"\1" * 20_000_000, 0)
    assert _used_bytes(arena) >= 20_000_000
    arena.tidy(20_000_000)
    assert _used_bytes(arena) == 0
    assert _taken(arena, 4) == bytes(4)


def test_the_memory_of_a_small_picture_is_kept(arena: Arena) -> None:
    arena.put_pixels(b"\1" * 100_000, 0)
    arena.tidy(100_000)
    assert _used_bytes(arena) >= 100_000


def test_a_new_one_takes_no_memory() -> None:
    made = Arena.make(UPLOAD_BYTES, 400_000_000)
    assert _used_bytes(made) == 0
    made.close()


def test_closing_gives_the_descriptor_back() -> None:
    made = Arena.make(UPLOAD_BYTES, 100)
    made.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(made.descriptor)
