import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts, unpack

LIMITS = PictureLimits(max_metadata_bytes=1_000, max_profile_bytes=500)


@given(st.binary(max_size=2_000), st.integers(0, 2_000))
def test_what_was_packed_comes_back_up_to_one_byte_beyond_the_bound(
    content: bytes, most: int
) -> None:
    assert unpack(zlib.compress(content), most) == content[: most + 1]


def test_a_bomb_is_cut_off() -> None:
    assert unpack(zlib.compress(bytes(200_000_000)), 1_000) == bytes(1_001)


def test_a_stream_longer_than_one_step_comes_back_whole() -> None:
    content = np.random.default_rng(4).bytes(20_000)
    packed = zlib.compress(content)
    assert len(packed) > 3 * 4_096
    assert unpack(packed, len(content)) == content


def test_neither_the_sum_nor_what_lies_behind_it_matters() -> None:
    packed = zlib.compress(b"spoken words")
    assert unpack(packed[:-4] + b"oops", 100) == b"spoken words"
    assert unpack(packed[:-4], 100) == b"spoken words"
    assert unpack(packed + b"more", 100) == b"spoken words"


def test_what_was_read_before_the_damage_counts() -> None:
    content = np.random.default_rng(4).bytes(70_000)
    packed = zlib.compress(content, 0)  # a block of 65,535 bytes and another one
    damaged = packed[:66_000].replace(content[65_535:65_600], b"") + b"\xff" * 100
    found = unpack(damaged, len(content))
    assert len(found) >= 60_000
    assert content.startswith(found[:60_000])


@given(st.binary(max_size=2_000), st.floats(0, 1))
def test_a_stream_that_breaks_off_gives_what_it_has(content: bytes, kept: float) -> None:
    packed = zlib.compress(content)
    assert content.startswith(unpack(packed[: int(kept * len(packed))], len(content)))


@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_garbage_unpacks_to_something_or_nothing(garbage: bytes, most: int) -> None:
    assert len(unpack(garbage, most)) <= most + 1


def test_pieces_are_bounded_together_up_to_the_bound_itself() -> None:
    parts = Parts()
    parts.count_metadata(400, LIMITS)
    parts.add_unpacked(bytes(600), LIMITS)
    assert (parts.metadata_bytes, parts.unpacked_texts) == (1_000, [bytes(600)])
    parts.count_metadata(0, LIMITS)
    with pytest.raises(Unacceptable, match="metadata_too_large"):
        parts.count_metadata(1, LIMITS)


def test_what_has_to_be_unpacked_has_a_bound_of_its_own() -> None:
    limits = PictureLimits(max_metadata_bytes=1_000, max_unpacked_bytes=500)
    parts = Parts()
    parts.count_metadata(400, limits)
    assert parts.may_unpack(limits) == 500
    parts.add_unpacked(bytes(300), limits)
    assert parts.may_unpack(limits) == 200
    with pytest.raises(Unacceptable, match="metadata_too_large"):
        parts.add_unpacked(bytes(201), limits)


@given(st.sets(st.integers(0, 100)), st.binary(min_size=100, max_size=100))
def test_what_is_not_named_as_pixels_is_text(places: set[int], data: bytes) -> None:
    cuts = sorted(places)[: len(places) // 2 * 2]
    pixels = list(zip(cuts[::2], cuts[1::2], strict=True))
    texts = Parts(pixels=pixels).texts(data)
    rest = [data[n : n + 1] for n in range(100) if not any(a <= n < b for a, b in pixels)]
    assert b"".join(texts) == b"".join(rest)


def test_a_profile_is_put_together_and_bounded_up_to_the_bound_itself() -> None:
    parts = Parts()
    for piece in (b"a" * 200, b"b" * 300):
        parts.add_profile(piece, LIMITS)
    assert parts.profile == b"a" * 200 + b"b" * 300
    with pytest.raises(Unacceptable, match="profile_too_large"):
        parts.add_profile(b"x", LIMITS)
