"""Whole files: what is refused from the header alone, what is odd, and what is ordinary."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import PILLOW_FORMATS, MediaType

LIMITS = PictureLimits()
WALKED = (MediaType.JPEG, MediaType.PNG, MediaType.WEBP)
PHP = b"<?php system($_GET[0]); ?>"
PROGRAM = b"MZ" + bytes(126) + b"PE\0\0"


def _until_header(data: bytes, media_type: MediaType) -> bytes:
    """A file cut off right behind what states its size."""
    if media_type is MediaType.JPEG:
        start = data.index(b"\xff\xc0")
        return data[: start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")]
    if media_type is MediaType.PNG:
        return data[:33]
    return data[:4] + struct.pack("<I", 22) + data[8:30]


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((200, 101), "too_many_pixels"),
        ((1_001, 16), "side_too_long"),
        ((7, 20), "too_small"),
        ((161, 8), "extreme_ratio"),
        ((130, 130), "expands_too_much"),
    ],
)
@pytest.mark.parametrize("media_type", WALKED)
def test_the_size_is_judged_before_any_pixel_is_there(
    saved: Callable[..., bytes],
    refusal_of: Callable[..., str],
    media_type: MediaType,
    size: tuple[int, int],
    code: str,
) -> None:
    limits = PictureLimits(max_pixels=20_000, max_side=1_000, free_bytes=50_000, max_expansion=30)
    data = saved(Pillow.new("RGB", size), PILLOW_FORMATS[media_type])
    head = _until_header(data, media_type)
    assert refusal_of(head, media_type, limits) == code
    assert refusal_of(head, media_type, PictureLimits(min_side=1, max_ratio=200)) in {
        "truncated",
        "unreadable",
    }


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("media_type", WALKED)
def test_a_file_that_breaks_off_is_refused(
    files: dict[MediaType, bytes],
    refusal_of: Callable[..., str],
    media_type: MediaType,
    share: float,
) -> None:
    data = files[media_type]
    assert refusal_of(data[: int(share * len(data))], media_type) in {"truncated", "unreadable"}


@pytest.mark.parametrize(
    ("media_type", "options"),
    [
        (MediaType.JPEG, {"quality": 60, "comment": "A day at the beach"}),
        (MediaType.JPEG, {"progressive": True, "optimize": True}),
        (MediaType.PNG, {"optimize": True}),
        (MediaType.WEBP, {"lossless": True}),
        (MediaType.WEBP, {"quality": 50}),
        (MediaType.GIF, {}),
        (MediaType.BMP, {}),
        (MediaType.TIFF, {"compression": "tiff_lzw"}),
    ],
)
def test_an_ordinary_picture_shows_no_signs(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
    options: dict[str, Any],
) -> None:
    assert signs_of(saved(photo, PILLOW_FORMATS[media_type], **options), media_type) == set()


def test_camera_data_and_a_profile_show_no_signs(
    photo: Pillow.Image, saved: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    exif = Pillow.Exif()
    exif[0x010F], exif[0x010E], exif[0x0112] = "Maker", "A person <3", 1
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF/></x:xmpmeta>"
    for media_type in WALKED:
        data = saved(photo, PILLOW_FORMATS[media_type], exif=exif, xmp=xmp)
        assert signs_of(data, media_type) == set()


@pytest.mark.parametrize("media_type", WALKED)
def test_padding_and_trailers_of_cameras_are_not_odd(
    files: dict[MediaType, bytes],
    makers_trailer: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    trailer = makers_trailer()
    for content in (b"", bytes(4_000), trailer, bytes(9) + trailer):
        assert signs_of(files[media_type] + content, media_type) == set()


@pytest.mark.parametrize("media_type", WALKED)
def test_an_archive_in_a_trailer_or_a_film_is_a_polyglot(
    files: dict[MediaType, bytes],
    makers_trailer: Callable[..., bytes],
    archive: bytes,
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"
    for content in (makers_trailer(archive), film + archive):
        assert signs_of(files[media_type] + content, media_type) == {"polyglot"}


@pytest.mark.parametrize("media_type", WALKED)
def test_a_script_in_a_trailer_is_seen(
    files: dict[MediaType, bytes],
    makers_trailer: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    data = files[media_type] + makers_trailer(PHP)
    assert signs_of(data, media_type) == {"script_in_metadata"}


@pytest.mark.parametrize("media_type", WALKED)
def test_bytes_behind_the_picture_are_counted(
    files: dict[MediaType, bytes], media_type: MediaType
) -> None:
    examined = examine(files[media_type] + b"\0more\0", media_type, LIMITS)
    assert dict(examined.signs) == {"trailing_data": {"bytes": 4.0}}


@pytest.mark.parametrize("media_type", WALKED)
def test_an_archive_behind_the_picture_is_a_polyglot(
    files: dict[MediaType, bytes],
    archive: bytes,
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    assert signs_of(files[media_type] + archive, media_type) == {"polyglot", "trailing_data"}


@pytest.mark.parametrize(
    ("content", "sign"),
    [
        (b"%PDF-1.4\n1 0 obj", "polyglot"),
        (PROGRAM, "polyglot"),
        (PHP, "script_in_metadata"),
        (b"<?php __HALT_COMPILER(); ?>", "polyglot"),
        (b"<script>x()</script>", "script_in_metadata"),
    ],
)
def test_what_stands_in_words_is_read_in_every_place_for_words(
    jpeg_with: Callable[..., bytes],
    png_with: Callable[..., bytes],
    webp_with: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    content: bytes,
    sign: str,
) -> None:
    exif, text = b"Exif\0\0MM\0*\0\0\0\x08\0\0", b"Comment\0"
    hidden = {
        jpeg_with(0xFE, content): MediaType.JPEG,
        jpeg_with(0xE1, exif + content): MediaType.JPEG,
        jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + content): MediaType.JPEG,
        png_with(b"tEXt", text + content): MediaType.PNG,
        png_with(b"zTXt", text + b"\0" + zlib.compress(content)): MediaType.PNG,
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + content): MediaType.PNG,
        png_with(b"eXIf", exif[6:] + content): MediaType.PNG,
        webp_with(b"XMP ", content): MediaType.WEBP,
        webp_with(b"EXIF", exif + content): MediaType.WEBP,
    }
    for data, media_type in hidden.items():
        assert sign in signs_of(data, media_type)


def test_several_pictures_are_counted(
    photo: Pillow.Image, saved: Callable[..., bytes], jpeg: bytes
) -> None:
    more = {"save_all": True, "append_images": [photo.rotate(90)]}
    for data, media_type in (
        (jpeg * 2, MediaType.JPEG),
        (saved(photo, "PNG", **more), MediaType.PNG),
        (saved(photo, "WEBP", **more), MediaType.WEBP),
    ):
        signs = dict(examine(data, media_type, LIMITS).signs)
        assert signs == {"several_frames": {"frames": 2.0}}


def test_a_missing_end_is_said_where_the_pixels_are_all_there(
    png: bytes, photo: Pillow.Image
) -> None:
    examined = examine(png[:-12], MediaType.PNG, LIMITS)
    assert dict(examined.signs) == {"end_missing": {}}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


@pytest.mark.parametrize("media_type", WALKED)
def test_a_damaged_profile_is_said(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    data = saved(photo, PILLOW_FORMATS[media_type], icc_profile=b"no profile at all")
    assert signs_of(data, media_type) == {"profile_unusable"}
