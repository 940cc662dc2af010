"""The header is judged before any pixel is there; what is odd about the whole is counted."""

import struct
from collections.abc import Callable

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import PILLOW_FORMATS, MediaType
from tests.inference.gate.decoder.examine.walked import LIMITS, WALKED


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


def test_it_is_said_that_a_picture_was_made_smaller(jpeg: bytes) -> None:
    examined = examine(jpeg, MediaType.JPEG, PictureLimits(max_decoded_pixels=4_000))
    assert dict(examined.signs) == {"made_smaller": {"times": 2.0}}
    assert examined.picture.size == (64, 48)
