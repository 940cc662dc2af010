"""Damaged files of every type and colour mode end as a picture or a refusal, nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import PILLOW_FORMATS, MediaType

LIMITS = PictureLimits(max_pixels=100_000)
CASES: list[tuple[MediaType, str, dict[str, Any]]] = [
    (MediaType.JPEG, "L", {}),
    (MediaType.JPEG, "RGB", {"progressive": True}),
    (MediaType.JPEG, "CMYK", {}),
    *((MediaType.PNG, mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    (MediaType.WEBP, "RGB", {}),
    (MediaType.WEBP, "RGBA", {"lossless": True}),
    (MediaType.GIF, "P", {}),
    (MediaType.BMP, "RGB", {}),
    (MediaType.AVIF, "RGB", {}),
    (MediaType.AVIF, "RGBA", {}),
    (MediaType.TIFF, "RGB", {"compression": "tiff_lzw"}),
    (MediaType.TIFF, "I;16", {}),
]
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=4,
)


def _small(mode: str) -> Pillow.Image:
    picture = Pillow.linear_gradient("L").resize((24, 20))
    return Pillow.new(mode, (24, 20)) if mode == "I;16" else picture.convert(mode)


def _damaged(data: bytes, damage: list[tuple[float, bytes]], kept: float) -> bytes:
    changed = bytearray(data)
    for place, garbage in damage:
        start = int(place * len(data))
        changed[start : start + len(garbage)] = garbage
    return bytes(changed[: int(kept * len(changed)) + 1])


@pytest.mark.parametrize(
    ("media_type", "mode", "options"), CASES, ids=[f"{case[0].name}-{case[1]}" for case in CASES]
)
@settings(max_examples=80)
@given(damage=DAMAGE, kept=st.one_of(st.just(1.0), st.floats(0, 1)), tail=st.binary(max_size=20))
def test_a_damaged_file_is_decoded_or_refused(
    saved: Callable[..., bytes],
    media_type: MediaType,
    mode: str,
    options: dict[str, Any],
    damage: list[tuple[float, bytes]],
    kept: float,
    tail: bytes,
) -> None:
    exif = {} if media_type in {MediaType.GIF, MediaType.BMP} else {"exif": Pillow.Exif()}
    whole = saved(_small(mode), PILLOW_FORMATS[media_type], **options, **exif)
    assert examine(whole, media_type, LIMITS).picture.size == (24, 20)
    try:
        examined = examine(_damaged(whole, damage, kept) + tail, media_type, LIMITS)
    except Unacceptable:
        return
    width, height = examined.picture.size
    assert examined.picture.mode == "RGB"
    assert width * height <= LIMITS.max_pixels


@settings(max_examples=300)
@given(st.sampled_from(MediaType), st.binary(max_size=300))
def test_a_signature_before_garbage_is_decoded_or_refused(
    media_type: MediaType, garbage: bytes
) -> None:
    starts = {
        MediaType.JPEG: b"\xff\xd8\xff",
        MediaType.PNG: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        MediaType.WEBP: b"RIFF\xff\0\0\0WEBPVP8X",
        MediaType.GIF: b"GIF89a",
        MediaType.BMP: b"BM",
        MediaType.TIFF: b"II*\0\x08\0\0\0",
        MediaType.AVIF: b"\0\0\0\x10ftypavif\0\0\0\0\0\0\1\0meta",
    }
    try:
        picture = examine(starts[media_type] + garbage, media_type, LIMITS).picture
    except Unacceptable:
        return
    assert picture.width * picture.height <= LIMITS.max_pixels
