"""Bounds that hold for every type, each right at its boundary and just beyond it."""

from collections.abc import Callable

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.anatomy import dissect
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts
from inference.gate.media import MediaType

UNWALKED = [MediaType.GIF, MediaType.BMP, MediaType.TIFF]
KINDS = {MediaType.JPEG: "JPEG", MediaType.PNG: "PNG", MediaType.WEBP: "WEBP"}
KNOWN = pytest.mark.parametrize("media_type", KINDS)


def _parts(data: bytes, media_type: MediaType, **limits: int) -> Parts:
    found = dissect(data, media_type, PictureLimits(**limits))
    assert found is not None
    return found


def _refusal(data: bytes, media_type: MediaType, **limits: int) -> str:
    with pytest.raises(Unacceptable) as refused:
        dissect(data, media_type, PictureLimits(**limits))
    return refused.value.code


@pytest.fixture
def several(
    photo: Pillow.Image, saved: Callable[..., bytes], jpeg: bytes
) -> Callable[[MediaType, int], bytes]:
    def build(media_type: MediaType, count: int) -> bytes:
        if media_type is MediaType.JPEG:
            return jpeg * count
        more = [photo.rotate(10 * turn) for turn in range(1, count)]
        return saved(photo, KINDS[media_type], save_all=True, append_images=more)

    return build


@pytest.fixture
def commented(
    jpeg_with: Callable[..., bytes], png_with: Callable[..., bytes], webp_with: Callable[..., bytes]
) -> dict[MediaType, Callable[[bytes], bytes]]:
    return {
        MediaType.JPEG: lambda text: jpeg_with(0xFE, text),
        MediaType.PNG: lambda text: png_with(b"tEXt", text),
        MediaType.WEBP: lambda text: webp_with(b"XMP ", text),
    }


@KNOWN
def test_the_number_of_pictures_is_bounded(
    several: Callable[[MediaType, int], bytes], media_type: MediaType
) -> None:
    assert _parts(several(media_type, 3), media_type, max_frames=3).frames == 3
    assert _refusal(several(media_type, 4), media_type, max_frames=3) == "too_many_frames"


@KNOWN
def test_the_size_of_metadata_is_bounded(
    files: dict[MediaType, bytes],
    commented: dict[MediaType, Callable[[bytes], bytes]],
    media_type: MediaType,
) -> None:
    bare = _parts(files[media_type], media_type).metadata_bytes
    data = commented[media_type](bytes(1_000))
    assert _parts(data, media_type, max_metadata_bytes=bare + 1_000)
    assert _refusal(data, media_type, max_metadata_bytes=bare + 999) == "metadata_too_large"


@KNOWN
def test_the_size_of_the_profile_is_bounded(
    photo: Pillow.Image, saved: Callable[..., bytes], media_type: MediaType
) -> None:
    data = saved(photo, KINDS[media_type], icc_profile=bytes(70_000))
    assert _parts(data, media_type, max_profile_bytes=70_000).profile == bytes(70_000)
    assert _refusal(data, media_type, max_profile_bytes=69_999) == "profile_too_large"


@pytest.mark.parametrize("media_type", UNWALKED)
def test_other_types_are_left_to_the_decoder(media_type: MediaType) -> None:
    assert dissect(b"anything", media_type, PictureLimits()) is None
