"""The walker of PNG files, on files that Pillow wrote and on files built from chunks."""

import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.containers import png as walker
from inference.gate.decoder.limits import PictureLimits, Unacceptable

LIMITS = PictureLimits(max_metadata_bytes=10_000, max_profile_bytes=10_000)


def _packed(kind: bytes, text: bytes) -> bytes:
    head = b"Comment\0\0" if kind == b"zTXt" else b"Comment\0\1\0en\0Kommentar\0"
    return head + zlib.compress(text)


def _refusal(data: bytes) -> str:
    with pytest.raises(Unacceptable) as refused:
        walker.walk(data, LIMITS)
    return refused.value.code


def test_an_ordinary_file_is_walked_to_its_end(png: bytes) -> None:
    parts = walker.walk(png + b"more", LIMITS)
    assert (parts.width, parts.height, parts.frames) == (128, 96, 1)
    assert (parts.complete, parts.end, parts.metadata_bytes) == (True, len(png), 0)
    start = png.index(b"IDAT")
    assert parts.pixels == [(start + 4, start + 4 + int.from_bytes(png[start - 4 : start]))]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"tEXt", b"Comment\0spoken words"),
        (b"iTXt", b"Comment\0\0\0\0\0spoken words"),
        (b"zTXt", _packed(b"zTXt", b"spoken words")),
        (b"iTXt", _packed(b"iTXt", b"spoken words")),
        (b"eXIf", b"MM\0*spoken words"),
        (b"tEXt", b"spoken words\0"),
        (b"zTXt", b"spoken words\0\0" + zlib.compress(b"")),
        (b"iTXt", b"C\0\1\0spoken words\0\0" + zlib.compress(b"")),
        (b"iTXt", b"C\0\1\0en\0spoken words\0" + zlib.compress(b"")),
    ],
)
def test_texts_of_all_kinds_are_metadata_unpacked(
    png_with: Callable[..., bytes], kind: bytes, content: bytes
) -> None:
    data = png_with(kind, content)
    assert b"spoken words" in b"".join(walker.walk(data, LIMITS).texts(data))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_packed_texts_are_bounded_by_what_they_unpack_to(
    png_with: Callable[..., bytes], kind: bytes
) -> None:
    most = 10_000 - walker.walk(png_with(kind, _packed(kind, b"")), LIMITS).metadata_bytes
    parts = walker.walk(png_with(kind, _packed(kind, bytes(most))), LIMITS)
    assert (parts.unpacked_texts, parts.unpacked_bytes) == ([bytes(most)], most)
    assert _refusal(png_with(kind, _packed(kind, bytes(most + 1)))) == "metadata_too_large"
    bomb = png_with(kind, _packed(kind, bytes(50_000_000)))
    assert len(bomb) < 150_000
    assert _refusal(bomb) == "metadata_too_large"


def test_a_packed_profile_is_bounded_by_what_it_unpacks_to(png_with: Callable[..., bytes]) -> None:
    def profiled(size: int) -> bytes:
        return png_with(b"iCCP", b"name\0\0" + zlib.compress(bytes(size)))

    assert walker.walk(profiled(10_000), LIMITS).profile == bytes(10_000)
    assert _refusal(profiled(10_001)) == "profile_too_large"
    assert _refusal(profiled(50_000_000)) == "profile_too_large"


def test_frames_of_an_animated_file_are_counted(
    photo: Pillow.Image, saved: Callable[..., bytes]
) -> None:
    more = [photo.rotate(turn) for turn in (90, 180)]
    assert walker.walk(saved(photo, "PNG", save_all=True, append_images=more), LIMITS).frames == 3


def test_a_default_picture_that_is_not_in_the_animation_counts_too(
    photo: Pillow.Image, saved: Callable[..., bytes]
) -> None:
    more = [photo.rotate(turn) for turn in (90, 180)]
    data = saved(photo, "PNG", save_all=True, append_images=more, default_image=True)
    assert data.index(b"IDAT") < data.index(b"fcTL")
    assert walker.walk(data, LIMITS).frames == 3


@pytest.mark.parametrize("kind", [b"prVt", b"PLTE", b"gAMA", b"IHDX"])
def test_every_chunk_that_is_not_made_of_pixels_is_metadata(
    png_with: Callable[..., bytes], kind: bytes
) -> None:
    data = png_with(kind, b"spoken words")
    parts = walker.walk(data, LIMITS)
    assert b"spoken words" in b"".join(parts.texts(data))
    assert parts.metadata_bytes == 12


def test_a_profile_with_a_wrong_sum_is_kept(png_with: Callable[..., bytes]) -> None:
    packed = zlib.compress(b"spoken words")[:-4] + b"oops"
    assert walker.walk(png_with(b"iCCP", b"name\0\0" + packed), LIMITS).profile == b"spoken words"


@pytest.mark.parametrize("stated", [0, 1])
def test_an_animation_of_no_frames_is_still_a_picture(
    png_with: Callable[..., bytes], stated: int
) -> None:
    assert walker.walk(png_with(b"acTL", struct.pack(">II", stated, 0)), LIMITS).frames == 1


def test_a_file_cut_off_anywhere_behind_its_header_is_incomplete(png: bytes) -> None:
    for length in (33, 34, 41, len(png) // 2, len(png) - 1):
        parts = walker.walk(png[:length], LIMITS)
        assert (parts.width, parts.height, parts.complete) == (128, 96, False)


@pytest.mark.parametrize("length", [8, 12, 16, 32])
def test_without_a_whole_header_it_is_unreadable(png: bytes, length: int) -> None:
    assert _refusal(png[:length]) == "unreadable"


def test_a_length_beyond_the_file_ends_the_walk(png: bytes) -> None:
    data = png[:33] + b"\xff\xff\xff\xfftEXt<script>" + png[33:]
    parts = walker.walk(data, LIMITS)
    assert (parts.complete, parts.end) == (False, len(data))
    assert b"<script>" in b"".join(parts.texts(data))


def test_more_chunks_than_any_picture_has_are_unreadable(png_with: Callable[..., bytes]) -> None:
    assert _refusal(png_with(b"tIME", b"", times=20_001)) == "unreadable"


def test_deep_pixels_count_as_the_bytes_that_they_unpack_to(png: bytes) -> None:
    header = struct.pack(">IIBBBBB", 2_000, 1_000, 16, 6, 0, 0, 0)
    checksum = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    data = png[:12] + b"IHDR" + header + checksum + png[33:]
    share = 3 * 16_000_000 / len(data)
    for free, most in ((16_000_000, 10), (15_999_999, share + 1)):
        limits = PictureLimits(free_bytes=free, max_expansion=most)
        assert walker.walk(data, limits).width == 2_000
    with pytest.raises(Unacceptable, match="expands_too_much"):
        walker.walk(data, PictureLimits(free_bytes=15_999_999, max_expansion=share - 1))
