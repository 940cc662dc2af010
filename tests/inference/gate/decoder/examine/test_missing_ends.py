"""Files whose pixels are all there, and whose end is not."""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.media import MediaType
from tests.inference.gate.decoder.examine.walked import LIMITS


def test_a_missing_end_is_said_where_the_pixels_are_all_there(
    png: bytes, photo: Pillow.Image
) -> None:
    examined = examine(png[:-12], MediaType.PNG, LIMITS)
    assert dict(examined.signs) == {"end_missing": {}}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_camera_picture_without_its_end_marker_is_taken_as_it_is(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    mode: str,
    options: dict[str, Any],
) -> None:
    data = saved(photo.convert(mode), "JPEG", **options)
    whole = examine(data, MediaType.JPEG, LIMITS).picture
    for missing in (2, 1):
        examined = examine(data[:-missing], MediaType.JPEG, LIMITS)
        assert dict(examined.signs) == {"end_missing": {}}
        assert np.array_equal(np.asarray(examined.picture), np.asarray(whole))


def test_without_its_end_a_camera_picture_stops_where_phones_go_on(
    jpeg: bytes, makers_trailer: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\x0f\xa8mdat"
    film += np.random.default_rng(3).bytes(4_000)
    vivo = b'vivo{"version":"1.0"}\0\0\0\x19cameralbum!'
    for behind in (makers_trailer(), makers_trailer(film), film, vivo, jpeg):
        signs = signs_of(jpeg[:-2] + behind, MediaType.JPEG)
        assert "end_missing" in signs
        assert signs <= {"end_missing", "several_frames"}


@pytest.mark.parametrize("kept", [8, 9, 20, 30])
def test_a_file_that_breaks_off_in_a_piece_that_no_pixel_needs_is_whole_but_for_it(
    png: bytes, photo: Pillow.Image, kept: int
) -> None:
    text = struct.pack(">I", 1_000) + b"tEXtComment\0" + b"spoken words " * 80
    examined = examine(png[:-12] + text[:kept], MediaType.PNG, LIMITS)
    assert set(examined.signs) == {"end_missing", "checksum_differs"}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


@pytest.mark.parametrize("cut", [1, 4, 8, 11, 12])
def test_an_end_that_is_cut_off_is_a_missing_end(
    png: bytes, signs_of: Callable[..., set[str]], cut: int
) -> None:
    assert signs_of(png[:-cut], MediaType.PNG) == {"end_missing"}
