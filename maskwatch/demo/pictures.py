"""What the demo uploads: drawn people and files that are no pictures. No real person is shown."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.figures import draw_figure


@dataclass(frozen=True)
class Picture:
    """Bytes with a file name and the media type that a browser would declare."""

    name: str
    media_type: str
    data: bytes


def figure(seed: int) -> Image:
    """A drawn person."""
    return draw_figure(seed).image


def encode(image: Image, name: str, kind: str) -> Picture:
    """A picture as JPEG or PNG; attacks and ordinary uploads use both, so neither gives away."""
    buffer = BytesIO()
    # Pillow's own level takes four times as long for a tenth less.
    options = {"quality": 90} if kind == "JPEG" else {"compress_level": 3}
    Pillow.fromarray(image).save(buffer, kind, **options)
    suffix = kind.lower()
    return Picture(f"{name}.{suffix}", f"image/{suffix}", buffer.getvalue())


def ordinary(seed: int) -> Picture:
    """An everyday upload: three in four are JPEG."""
    return encode(figure(seed), f"look-{seed}", "PNG" if seed % 4 == 0 else "JPEG")


def make_malformed(seed: int) -> tuple[tuple[Picture, int], ...]:
    """Hostile files with the HTTP status that each has to get."""
    whole = encode(figure(seed), "whole", "JPEG").data
    noise = np.random.default_rng(seed).bytes(4_000)
    return (
        (Picture("empty.jpg", "image/jpeg", b""), 422),
        (Picture("text.jpg", "image/jpeg", b"<?php system($_GET['c']); ?>"), 415),
        (Picture("cut.jpg", "image/jpeg", whole[: len(whole) // 2]), 422),
        (Picture("bomb.png", "image/png", _png_header(60_000, 60_000)), 413),
        (make_noise(seed), 422),
        (Picture("old.gif", "image/gif", b"GIF89a" + noise), 415),
        (Picture("huge.jpg", "image/jpeg", whole + bytes(33_000_000)), 413),
    )


def make_noise(seed: int) -> Picture:
    """A file that begins like a picture and goes on as noise."""
    noise = np.random.default_rng(seed).bytes(4_000)
    return Picture("noise.webp", "image/webp", b"RIFF\xa0\x0f\0\0WEBPVP8 " + noise)


def _png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and has one byte of it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
