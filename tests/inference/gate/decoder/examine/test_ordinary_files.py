"""Files as cameras, phones and programs write them show no signs."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image as Pillow

from inference.gate.media import PILLOW_FORMATS, MediaType
from tests.inference.gate.decoder.examine.walked import WALKED


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


def test_the_depths_of_a_portrait_are_ordinary(
    jpeg: bytes, segment: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)
    depths = segment(0xE1, head + b"QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 2_400) * 250
    assert len(depths) > 15_000_000
    assert signs_of(jpeg[:2] + depths + jpeg[2:], MediaType.JPEG) == set()
