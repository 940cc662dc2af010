"""Damage beside the pixels is said and left out; damage to them is refused."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.media import PILLOW_FORMATS, MediaType
from tests.inference.gate.decoder.examine.walked import LIMITS, WALKED


@pytest.mark.parametrize("media_type", WALKED)
def test_a_damaged_profile_is_said(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    data = saved(photo, PILLOW_FORMATS[media_type], icc_profile=b"no profile at all")
    assert signs_of(data, media_type) == {"profile_unusable"}


def test_exif_data_that_cannot_be_read_are_said_and_turn_nothing(
    jpeg: bytes, jpeg_with: Callable[..., bytes]
) -> None:
    for damage in (b"II*\0", b"garbage!"):
        examined = examine(jpeg_with(0xE1, b"Exif\0\0" + damage), MediaType.JPEG, LIMITS)
        assert dict(examined.signs) == {"exif_unusable": {}}
        assert examined.orientation == 1


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"gAMA", b"pHYs", b"prVt"])
def test_a_damaged_piece_that_no_pixel_needs_is_left_out(
    png_with: Callable[..., bytes], photo: Pillow.Image, kind: bytes
) -> None:
    data = bytearray(png_with(kind, b"Comment\0\0spoken words"))
    data[60] ^= 1
    examined = examine(bytes(data), MediaType.PNG, LIMITS)
    assert dict(examined.signs) == {"checksum_differs": {"pieces": 1.0}}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


def test_a_damaged_orientation_turns_nothing(
    png_with: Callable[..., bytes], photo: Pillow.Image
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    data = bytearray(png_with(b"eXIf", exif.tobytes()[6:]))
    assert examine(bytes(data), MediaType.PNG, LIMITS).picture.size == (96, 128)
    data[data.index(b"eXIf") + 4 + len(exif.tobytes()) - 6] ^= 1
    assert examine(bytes(data), MediaType.PNG, LIMITS).picture.size == photo.size


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_damaged_piece_that_the_picture_needs_is_refused(
    png: bytes, refusal_of: Callable[..., str], kind: bytes
) -> None:
    start = png.index(kind)
    end = start + 4 + int.from_bytes(png[start - 4 : start])
    data = png[:end] + bytes((png[end] ^ 1,)) + png[end + 1 :]
    assert refusal_of(data, MediaType.PNG) == "unreadable"
