"""The walker of AVIF files, on files that Pillow wrote."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from inference.gate.decoder.containers import boxes as walker
from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import MediaType, detect

LIMITS = PictureLimits()
AVIF = MediaType.AVIF
MARK = b" onload='x' "
Bytes = Callable[..., bytes]


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@pytest.fixture(scope="module")
def avif(photo: Pillow.Image, saved: Bytes) -> bytes:
    return saved(photo, "AVIF", quality=80)


def test_it_is_told_by_its_brands(avif: bytes) -> None:
    assert detect(avif) is AVIF
    assert detect(_box(b"ftyp", b"mif1\0\0\0\0avif")) is AVIF
    assert detect(_box(b"ftyp", b"heic\0\0\0\0mif1")) is None
    assert detect(_box(b"ftyp", b"heic") + b"avifavifavif") is None


def test_an_ordinary_file_is_walked_and_decoded(avif: bytes, photo: Pillow.Image) -> None:
    parts = walker.walk(avif, LIMITS)
    assert (parts.complete, parts.end) == (True, len(avif))
    [(start, end)] = parts.pixels
    assert avif.index(b"mdat") + 4 <= start < end == len(avif)
    examined = examine(avif, AVIF, LIMITS)
    assert dict(examined.signs) == {}
    difference = np.asarray(examined.picture).astype(int) - np.asarray(photo)
    assert np.abs(difference).mean() < 6


def test_camera_data_are_text_and_turn_the_picture(photo: Pillow.Image, saved: Bytes) -> None:
    exif = Pillow.Exif()
    exif[0x010E], exif[0x0112] = MARK.decode(), 6
    data = saved(photo, "AVIF", exif=exif)
    examined = examine(data, AVIF, LIMITS)
    assert set(examined.signs) == {"script_in_metadata"}
    assert examined.picture.size == (96, 128)
    data = saved(photo, "AVIF", xmp=b"<x:xmpmeta>" + MARK + b"</x:xmpmeta>")
    assert set(examine(data, AVIF, LIMITS).signs) == {"script_in_metadata"}


@pytest.mark.parametrize("kind", [b"free", b"skip", b"uuid", b"mdat"])
def test_a_script_in_any_other_box_is_seen(avif: bytes, kind: bytes) -> None:
    assert "script_in_metadata" in examine(avif + _box(kind, MARK), AVIF, LIMITS).signs


def test_what_lies_behind_the_boxes_is_a_tail(avif: bytes) -> None:
    assert set(examine(avif + bytes(9), AVIF, LIMITS).signs) == set()
    assert set(examine(avif + b"\0\0\0\1words", AVIF, LIMITS).signs) == {"trailing_note"}


def test_a_film_in_its_box_is_no_sign(avif: bytes) -> None:
    film = np.random.default_rng(2).bytes(3_000) + MARK
    assert set(examine(avif + _box(b"mpvd", film), AVIF, LIMITS).signs) == set()


def test_its_size_is_judged_before_any_pixel_is_there(
    saved: Bytes, refusal_of: Callable[..., str]
) -> None:
    limits = PictureLimits(max_pixels=20_000)
    assert refusal_of(saved(Pillow.new("RGB", (200, 101)), "AVIF"), AVIF, limits) == (
        "too_many_pixels"
    )


def test_several_pictures_are_bounded(
    photo: Pillow.Image, saved: Bytes, refusal_of: Callable[..., str]
) -> None:
    more = [photo.rotate(90), photo.rotate(180)]
    data = saved(photo, "AVIF", save_all=True, append_images=more)
    assert refusal_of(data, AVIF, PictureLimits(max_frames=3)) == ""
    assert refusal_of(data, AVIF, PictureLimits(max_frames=2)) == "too_many_frames"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_that_breaks_off_is_refused(
    avif: bytes, refusal_of: Callable[..., str], share: float
) -> None:
    assert refusal_of(avif[: int(share * len(avif))], AVIF) in {"truncated", "unreadable"}


def test_a_directory_of_nothing_does_not_keep_the_walker_busy() -> None:
    items = bytes(4) + b"\0\0" + b"\xff\xff" + b"\0\1\0\0\xff\xff" * 10
    meta = bytes(4) + _box(b"iinf", bytes(6)) + _box(b"iloc", items)
    data = _box(b"ftyp", b"avif") + _box(b"meta", meta)
    assert walker.walk(data, LIMITS).pixels == []


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_damaged_directory_hides_nothing(avif: bytes, place: int, garbage: bytes) -> None:
    data = avif[:place] + garbage + avif[place + len(garbage) :]
    try:
        parts = walker.walk(data, LIMITS)
    except Unacceptable:
        return
    rest = len(data) - sum(end - start for start, end in parts.pixels)
    assert sum(map(len, parts.texts(data))) >= rest
