"""Locked down, a worker makes of a file what it would make of it unlocked.

Nothing can be imported or opened any more by then, so a library that loads a part of itself late
would fail inside the sandbox alone.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import features

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import MediaType
from inference.gate.sandbox.pool import DecoderPool
from inference.gate.sandbox.process import WorkerLimits

LIMITS = PictureLimits(max_pixels=4_000_000)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
SEVERAL = {"save_all": True, "append_images": [Pillow.new("RGB", (128, 96), "red")]}
JPEG, PNG, WEBP, GIF, TIFF = (
    MediaType.JPEG,
    MediaType.PNG,
    MediaType.WEBP,
    MediaType.GIF,
    MediaType.TIFF,
)
FILES: list[tuple[MediaType, str, str, dict[str, Any]]] = [
    *((PNG, "PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
    *((JPEG, "JPEG", mode, {}) for mode in ("L", "RGB", "CMYK", "YCbCr")),
    (JPEG, "JPEG", "RGB", {"progressive": True, "comment": "\u00e9t\u00e9"}),
    (JPEG, "JPEG", "RGB", {"subsampling": 0, "xmp": XMP}),
    (JPEG, "MPO", "RGB", SEVERAL),
    (PNG, "PNG", "RGB", {**SEVERAL, "xmp": XMP}),
    (PNG, "PNG", "P", {"transparency": 3}),
    (WEBP, "WEBP", "RGBA", {"lossless": True, "xmp": XMP}),
    (WEBP, "WEBP", "RGB", SEVERAL),
    (GIF, "GIF", "P", {"transparency": 3}),
    (GIF, "GIF", "RGB", SEVERAL),
    (MediaType.BMP, "BMP", "P", {}),
    *(
        (TIFF, "TIFF", "RGB", {"compression": name})
        for name in ("raw", "jpeg", "tiff_lzw", "tiff_adobe_deflate", "packbits")
    ),
    (TIFF, "TIFF", "1", {"compression": "group4"}),
    (TIFF, "TIFF", "I;16", {}),
    (TIFF, "TIFF", "CMYK", {}),
    (TIFF, "TIFF", "F", {}),
    (TIFF, "TIFF", "LAB", {}),
]


@pytest.fixture(scope="module")
def pool(worker_limits: Callable[..., WorkerLimits]) -> Iterator[DecoderPool]:
    opened = DecoderPool(1, worker_limits(picture=LIMITS))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def exif() -> Pillow.Exif:
    made = Pillow.Exif()
    made[0x0112], made[0x010F], made[0x9C9B] = 8, "Maker", "title".encode("utf-16-le")
    made.get_ifd(0x8825)[1] = "N"
    made.get_ifd(0x8769)[0x9286] = b"UNICODE\0a comment"
    return made


def _unlocked(data: bytes, media_type: MediaType) -> tuple[str, dict[str, Any], bytes]:
    try:
        examined = examine(data, media_type, LIMITS)
    except Unacceptable as refused:
        return refused.code, {}, b""
    return "", dict(examined.signs), examined.picture.tobytes()


def _locked(
    pool: DecoderPool, data: bytes, media_type: MediaType
) -> tuple[str, dict[str, Any], bytes]:
    reply, image = pool.decode(data, media_type)
    return reply.refusal, dict(reply.signs), b"" if image is None else image.tobytes()


@pytest.mark.parametrize(
    ("media_type", "kind", "mode", "options"),
    FILES,
    ids=[f"{kind}-{mode}-{number}" for number, (_, kind, mode, _) in enumerate(FILES)],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_a_locked_worker_makes_the_same_of_every_kind_of_file(
    pool: DecoderPool,
    photo: Pillow.Image,
    exif: Pillow.Exif,
    saved: Callable[..., bytes],
    media_type: MediaType,
    kind: str,
    mode: str,
    options: dict[str, Any],
    *,
    damaged: bool,
) -> None:
    carried = {} if media_type in {GIF, MediaType.BMP} else {"exif": exif}
    picture = Pillow.new(mode, (32, 24)) if mode in {"I;16", "LAB"} else photo.convert(mode)
    data = saved(picture, kind, **options, **carried)
    data = data[: 2 * len(data) // 3] if damaged else data
    unlocked = _unlocked(data, media_type)
    assert _locked(pool, data, media_type) == unlocked
    assert damaged or mode == "F" or not unlocked[0]


def test_the_libraries_that_are_needed_are_there() -> None:
    assert all(map(features.check, ("jpg", "zlib", "webp", "libtiff", "littlecms2")))
