"""Bounds that hold for every type, each right at its boundary and just beyond it."""

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image as Pillow

from inference.gate.decoder.anatomy import Tail, dissect
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import Parts
from inference.gate.media import MediaType

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
    bare = sum(len(blob) for blob in _parts(files[media_type], media_type).metadata)
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


@pytest.mark.parametrize("media_type", sorted(set(MediaType) - set(KINDS)))
def test_other_types_are_left_to_the_decoder(media_type: MediaType) -> None:
    assert dissect(b"anything", media_type, PictureLimits()) is None


def _tail(content: bytes, **parts: Any) -> Tail:
    return Tail.of(b"picture" + content, Parts(**{"end": 7, "complete": True, **parts}))


@pytest.mark.parametrize("content", [b"", b"\0", bytes(10_000)])
def test_padding_is_no_tail(content: bytes) -> None:
    tail = _tail(content)
    assert (tail.content, tail.is_odd()) == (b"", False)


def test_anything_else_behind_a_picture_is_odd() -> None:
    for content in (b"x", b"\0\0x\0", b"not SEFT at the end."):
        assert _tail(content).is_odd()


@pytest.mark.parametrize("padding", [b"", bytes(9)], ids=["at once", "behind padding"])
def test_the_makers_own_trailer_is_not_odd(
    makers_trailer: Callable[..., bytes], padding: bytes
) -> None:
    assert not _tail(padding + makers_trailer()).is_odd()
    assert not _tail(makers_trailer() + padding).is_odd()


def test_a_makers_mark_without_its_directory_is_odd(makers_trailer: Callable[..., bytes]) -> None:
    trailer = makers_trailer()
    length = int.from_bytes(trailer[-8:-4], "little")
    assert trailer[-8 - length :].startswith(b"SEFH")
    for wrong in (0, 1, length - 1, length + 1, 2**32 - 1):
        assert _tail(trailer[:-8] + wrong.to_bytes(4, "little") + b"SEFT").is_odd()
    assert _tail(trailer.replace(b"SEFH", b"SEFX")).is_odd()
    assert _tail(trailer + b"x").is_odd()
    for short in (b"SEFT", b"\4\0\0\0SEFT"):
        assert _tail(short).is_odd()


@pytest.mark.parametrize("length", [b"\0\0\0\x18", b"\0\0\1\0", b"\1\2\3\4"])
def test_a_film_is_not_odd(length: bytes) -> None:
    assert not _tail(length + b"ftypmp42 and the film").is_odd()


def test_a_films_mark_further_behind_is_odd() -> None:
    assert not _tail(b"x" * 4 + b"ftyp").is_odd()
    assert _tail(b"x" * 5 + b"ftyp").is_odd()


def test_an_incomplete_picture_has_no_tail() -> None:
    assert not _tail(b"x", complete=False).is_odd()
