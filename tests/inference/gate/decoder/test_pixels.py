"""Pixels by Pillow: which way up, what breaks off, what is no such picture."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.pixels import decode
from inference.gate.media import PILLOW_FORMATS, MediaType

Pixels = npt.NDArray[np.uint8]
LIMITS = PictureLimits(max_pixels=1_000_000)
LOSSLESS: dict[MediaType, dict[str, Any]] = {
    MediaType.PNG: {},
    MediaType.WEBP: {"lossless": True},
    MediaType.TIFF: {},
}
# How a picture is stored, by the number that says so (Exif 2.32, tag 0x0112).
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].transpose(1, 0, 2),
    8: lambda upright: np.rot90(upright, -1),
}


def _pixels(data: bytes, media_type: MediaType) -> Pixels:
    pixels = decode(data, media_type, LIMITS)
    assert (pixels.picture.mode, pixels.profile_unusable, pixels.times_smaller) == ("RGB", False, 1)
    return np.asarray(pixels.picture)


def _refusal(data: bytes, media_type: MediaType, limits: PictureLimits = LIMITS) -> str:
    with pytest.raises(Unacceptable) as refused:
        decode(data, media_type, limits)
    return refused.value.code


@pytest.fixture(scope="module")
def corners() -> Pixels:
    """Every turn and flip of it is another picture."""
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = (250, 20, 20)
    upright[:16, 32:] = (20, 250, 20)
    upright[16:, :16] = (20, 20, 250)
    return upright


@pytest.fixture(scope="module")
def turned(corners: Pixels, saved: Callable[..., bytes]) -> Callable[..., bytes]:
    def build(orientation: int, media_type: MediaType, **options: Any) -> bytes:
        exif = Pillow.Exif()
        exif[0x0112] = orientation
        stored = Pillow.fromarray(np.ascontiguousarray(STORED.get(orientation, STORED[1])(corners)))
        return saved(stored, PILLOW_FORMATS[media_type], exif=exif, **options)

    return build


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("media_type", LOSSLESS)
def test_every_orientation_gives_the_upright_picture(
    turned: Callable[..., bytes], corners: Pixels, orientation: int, media_type: MediaType
) -> None:
    data = turned(orientation, media_type, **LOSSLESS[media_type])
    assert np.array_equal(_pixels(data, media_type), corners)


@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_of_a_camera_picture_gives_the_upright_picture(
    turned: Callable[..., bytes], corners: Pixels, orientation: int
) -> None:
    found = _pixels(turned(orientation, MediaType.JPEG, quality=95), MediaType.JPEG)
    assert found.shape == corners.shape
    assert np.abs(found.astype(int) - corners).mean() < 3


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_does_not_exist_turns_nothing(
    turned: Callable[..., bytes], corners: Pixels, orientation: int
) -> None:
    assert np.array_equal(_pixels(turned(orientation, MediaType.PNG), MediaType.PNG), corners)


def test_damaged_camera_data_turn_nothing(jpeg: bytes, jpeg_with: Callable[..., bytes]) -> None:
    for damage in (b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"):
        data = jpeg_with(0xE1, b"Exif\0\0" + damage)
        assert np.array_equal(_pixels(data, MediaType.JPEG), _pixels(jpeg, MediaType.JPEG))


@pytest.mark.parametrize(
    "media_type", [MediaType.PNG, MediaType.WEBP, MediaType.BMP, MediaType.TIFF]
)
def test_lossless_pictures_come_back_exactly(
    photo: Pillow.Image, saved: Callable[..., bytes], media_type: MediaType
) -> None:
    data = saved(photo, PILLOW_FORMATS[media_type], **LOSSLESS.get(media_type, {}))
    assert np.array_equal(_pixels(data, media_type), np.asarray(photo))


def test_of_several_pictures_the_first_is_taken(
    photo: Pillow.Image, saved: Callable[..., bytes]
) -> None:
    for media_type in (MediaType.PNG, MediaType.TIFF):
        more = [photo.rotate(180)]
        data = saved(photo, PILLOW_FORMATS[media_type], save_all=True, append_images=more)
        assert np.array_equal(_pixels(data, media_type), np.asarray(photo))


@pytest.mark.parametrize("media_type", [MediaType.GIF, MediaType.TIFF])
def test_the_number_of_pictures_is_bounded_in_types_that_are_not_walked(
    photo: Pillow.Image, saved: Callable[..., bytes], media_type: MediaType
) -> None:
    more = [photo.rotate(90), photo.rotate(180)]
    data = saved(photo, PILLOW_FORMATS[media_type], save_all=True, append_images=more)
    decode(data, media_type, PictureLimits(max_frames=3))
    assert _refusal(data, media_type, PictureLimits(max_frames=2)) == "too_many_frames"


@pytest.mark.parametrize("media_type", [MediaType.JPEG, MediaType.PNG])
def test_half_a_file_is_truncated(files: dict[MediaType, bytes], media_type: MediaType) -> None:
    data = files[media_type]
    assert _refusal(data[: len(data) // 2], media_type) == "truncated"


@pytest.mark.parametrize("media_type", MediaType)
def test_the_decoder_of_another_type_is_never_tried(
    files: dict[MediaType, bytes], media_type: MediaType
) -> None:
    others = [data for found, data in files.items() if found is not media_type]
    assert len(others) >= 2
    assert {_refusal(data, media_type) for data in others} == {"unreadable"}


@pytest.mark.parametrize("media_type", MediaType)
@pytest.mark.parametrize("data", [b"", b"\0", bytes(1_000), b"\xff" * 1_000])
def test_garbage_is_unreadable(media_type: MediaType, data: bytes) -> None:
    assert _refusal(data, media_type) in {"unreadable", "truncated"}


@pytest.mark.parametrize("media_type", MediaType)
def test_the_size_is_judged_for_every_type(
    photo: Pillow.Image, saved: Callable[..., bytes], media_type: MediaType
) -> None:
    data = saved(photo, PILLOW_FORMATS[media_type])
    decode(data, media_type, PictureLimits(max_pixels=128 * 96))
    assert _refusal(data, media_type, PictureLimits(max_pixels=128 * 96 - 1)) == "too_many_pixels"


@pytest.mark.parametrize(("most", "times"), [(128 * 96, 1), (128 * 96 - 1, 2), (3_071, 4)])
@pytest.mark.parametrize("media_type", MediaType)
def test_a_picture_with_many_pixels_is_made_smaller(
    photo: Pillow.Image, saved: Callable[..., bytes], media_type: MediaType, most: int, times: int
) -> None:
    data = saved(photo, PILLOW_FORMATS[media_type])
    pixels = decode(data, media_type, PictureLimits(max_decoded_pixels=most))
    assert pixels.times_smaller == times
    assert pixels.picture.size == (128 // times, 96 // times)
    wanted = photo.reduce(times) if times > 1 else photo
    difference = np.asarray(pixels.picture).astype(int) - np.asarray(wanted)
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_picture_of_any_colours_is_made_smaller(saved: Callable[..., bytes], mode: str) -> None:
    deep = Pillow.fromarray(np.full((60, 90), 51_400, np.uint16))
    picture = deep if mode == "I;16" else Pillow.new("L", (90, 60), 200).convert(mode)
    pixels = decode(saved(picture, "PNG"), MediaType.PNG, PictureLimits(max_decoded_pixels=1_400))
    assert (pixels.picture.mode, pixels.picture.size) == ("RGB", (45, 30))
    assert mode == "1" or set(np.unique(np.asarray(pixels.picture))) == {200}


@pytest.mark.parametrize("media_type", [MediaType.JPEG, MediaType.PNG])
def test_a_smaller_picture_keeps_its_colours_and_stands_upright(
    corners: Pixels, turned: Callable[..., bytes], media_type: MediaType, grey_profile: bytes
) -> None:
    limits = PictureLimits(max_decoded_pixels=32 * 48 - 1)
    for orientation in STORED:
        data = turned(orientation, media_type, icc_profile=grey_profile)
        pixels = decode(data, media_type, limits)
        assert pixels.profile_unusable
        assert np.abs(np.asarray(pixels.picture).astype(int) - corners[::2, ::2]).mean() < 12


@pytest.mark.parametrize(
    ("media_type", "times"),
    [(MediaType.JPEG, 1), (MediaType.PNG, 3), (MediaType.WEBP, 3), (MediaType.BMP, 3)],
)
def test_only_a_decoder_that_leaves_blank_blocks_out_has_them_for_nothing(
    saved: Callable[..., bytes], media_type: MediaType, times: int
) -> None:
    data = saved(Pillow.new("RGB", (400, 400), 7), PILLOW_FORMATS[media_type])
    share = times * 400 * 400 * 3 / len(data)
    decode(data, media_type, PictureLimits(free_bytes=0, max_expansion=share * 1.01))
    too_little = PictureLimits(free_bytes=0, max_expansion=share * 0.99)
    assert _refusal(data, media_type, too_little) == "expands_too_much"
