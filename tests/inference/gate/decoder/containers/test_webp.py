"""The walker of WebP files: simple, lossless, extended and animated ones."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.containers import webp as walker
from inference.gate.decoder.limits import PictureLimits, Unacceptable

LIMITS = PictureLimits()


def _refusal(data: bytes) -> str:
    with pytest.raises(Unacceptable) as refused:
        walker.walk(data, LIMITS)
    return refused.value.code


def _stating_its_size(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


@pytest.mark.parametrize(
    ("first_chunk", "options"),
    [
        (b"VP8 ", {}),
        (b"VP8L", {"lossless": True}),
        (b"VP8X", {"icc_profile": b"profile"}),
        (b"VP8X", {"lossless": True, "icc_profile": b"profile"}),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (128, 96), (16_383, 8)])
def test_every_kind_of_header_states_the_size(
    saved: Callable[..., bytes], first_chunk: bytes, options: dict[str, Any], size: tuple[int, int]
) -> None:
    data = saved(Pillow.new("RGB", size), "WEBP", **options)
    assert data[12:16] == first_chunk
    parts = walker.walk(data, LIMITS)
    assert ((parts.width, parts.height), parts.frames) == (size, 1)
    assert (parts.complete, parts.end) == (True, len(data))


@pytest.mark.parametrize("lossless", [False, True])
def test_frames_of_an_animated_file_are_counted(
    photo: Pillow.Image, saved: Callable[..., bytes], lossless: bool
) -> None:
    more = [photo.rotate(turn) for turn in (90, 180)]
    data = saved(photo, "WEBP", save_all=True, append_images=more, lossless=lossless)
    parts = walker.walk(data, LIMITS)
    assert (parts.width, parts.height, parts.frames) == (128, 96, 3)


@pytest.mark.parametrize("kind", [b"EXIF", b"XMP "])
@pytest.mark.parametrize("text", [b"spoken words", b"spoken words, odd"])
def test_texts_are_metadata(webp_with: Callable[..., bytes], kind: bytes, text: bytes) -> None:
    data = webp_with(kind, text)
    assert text in b"".join(walker.walk(data, LIMITS).texts(data))


def test_the_profile_is_kept(photo: Pillow.Image, saved: Callable[..., bytes]) -> None:
    data = saved(photo, "WEBP", icc_profile=bytes(5_001))
    assert walker.walk(data, LIMITS).profile == bytes(5_001)


def test_what_lies_behind_the_stated_size_is_not_part_of_it(webp: bytes) -> None:
    parts = walker.walk(webp + b"EXIF\x04\0\0\0more", LIMITS)
    assert parts.end == len(webp)
    assert parts.metadata_bytes == walker.walk(webp, LIMITS).metadata_bytes


def test_the_padding_of_the_last_chunk_may_be_left_out(webp: bytes) -> None:
    parts = walker.walk(webp[:-1], LIMITS)
    assert (parts.complete, parts.end) == (True, len(webp) - 1)


def test_a_file_shorter_than_it_states_is_truncated(webp: bytes) -> None:
    for length in (12, 16, 20, 24, len(webp) // 2, len(webp) - 2):
        assert _refusal(webp[:length]) == "truncated"


@pytest.mark.parametrize("length", [12, 16, 20, 24])
def test_without_a_whole_header_the_size_is_unknown(webp: bytes, length: int) -> None:
    parts = walker.walk(_stating_its_size(webp[:length]), LIMITS)
    assert (parts.width, parts.height) == (0, 0)


def test_chunks_that_nobody_knows_are_metadata(webp_with: Callable[..., bytes]) -> None:
    data = webp_with(b"JUNK", b"spoken words")
    assert b"spoken words" in b"".join(walker.walk(data, LIMITS).texts(data))


def test_more_chunks_than_any_picture_has_are_unreadable(webp: bytes) -> None:
    assert _refusal(_stating_its_size(webp + b"JUNK\0\0\0\0" * 20_000)) == "unreadable"
