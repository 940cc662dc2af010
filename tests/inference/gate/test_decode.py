from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.figures import draw_figure
from inference.gate.decode import SizeLimits, check_size, decode
from inference.gate.media import MediaType
from inference.refusals import TOO_MANY_PIXELS, TOO_SMALL, TRUNCATED, UNREADABLE, Refusal

LIMITS = SizeLimits(max_pixels=1_000_000, min_side=8, max_side=2_000)


def _png(picture: Pillow.Image, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def _decoded(data: bytes, media_type: MediaType = MediaType.PNG) -> Image:
    found = decode(data, media_type, LIMITS)
    assert not isinstance(found, Refusal), found
    return found


def test_lossless_pictures_come_back_exactly(figure: Image, encode: Callable[..., bytes]) -> None:
    assert np.array_equal(_decoded(encode(figure)), figure)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    kind, media_type = ("JPEG", MediaType.JPEG) if mode == "CMYK" else ("PNG", MediaType.PNG)
    buffer = BytesIO()
    Pillow.new(mode, (20, 30), 0).save(buffer, kind)
    found = _decoded(buffer.getvalue(), media_type)
    assert found.shape == (30, 20, 3)
    assert found.dtype == np.uint8


def test_deep_greys_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65_535, 256).astype(np.uint16).reshape(16, 16)
    found = _decoded(_png(Pillow.fromarray(ramp)))
    assert found.min() == 0
    assert found.max() == 255
    assert len(np.unique(found)) > 200


def test_transparent_pixels_lie_on_white() -> None:
    assert (_decoded(_png(Pillow.new("RGBA", (10, 10), (255, 0, 0, 0)))) == 255).all()


def test_exif_orientation_is_applied(encode: Callable[..., bytes]) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    buffer = BytesIO()
    Pillow.new("RGB", (40, 20)).save(buffer, "JPEG", exif=exif)
    assert _decoded(buffer.getvalue(), MediaType.JPEG).shape == (40, 20, 3)


def test_half_a_file_is_truncated(figure: Image, encode: Callable[..., bytes]) -> None:
    for kind, media_type in (("JPEG", MediaType.JPEG), ("PNG", MediaType.PNG)):
        data = encode(figure, kind)
        assert decode(data[: len(data) // 2], media_type, LIMITS) in {TRUNCATED, UNREADABLE}


def test_the_wrong_decoder_is_never_tried(figure: Image, encode: Callable[..., bytes]) -> None:
    assert decode(encode(figure, "PNG"), MediaType.JPEG, LIMITS) is UNREADABLE


def test_size_limits() -> None:
    assert check_size(1_000, 1_001, LIMITS) is TOO_MANY_PIXELS
    assert check_size(2_001, 10, LIMITS) is TOO_MANY_PIXELS
    assert check_size(7, 500, LIMITS) is TOO_SMALL
    assert check_size(1_000, 1_000, LIMITS) is None


def test_a_header_over_the_limit_is_refused_before_any_pixel_is_decoded() -> None:
    data = _png(Pillow.new("1", (1_999, 1_999)))
    assert decode(data[:60], MediaType.PNG, LIMITS) is TOO_MANY_PIXELS


_PNG = _png(Pillow.fromarray(draw_figure(1, (48, 64)).image))


@given(st.integers(0, len(_PNG) - 1), st.binary(min_size=1, max_size=8))
def test_mutated_files_decode_or_are_refused(place: int, garbage: bytes) -> None:
    mutated = _PNG[:place] + garbage + _PNG[place + len(garbage) :]
    found = decode(mutated, MediaType.PNG, LIMITS)
    assert isinstance(found, Refusal) or found.dtype == np.uint8
