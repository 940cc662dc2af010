"""Small pictures, and the tools to build files from their parts as an attacker would."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Pillow

from inference.figures import draw_figure
from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.suspicions import marks_in
from inference.gate.media import MediaType

Bytes = Callable[..., bytes]


@pytest.fixture(scope="session")
def photo() -> Pillow.Image:
    return Pillow.fromarray(draw_figure(11, (128, 96)).image)


@pytest.fixture(scope="session")
def saved() -> Bytes:
    """Pictures as files: ``saved(picture, "JPEG", quality=90)``."""

    def save(picture: Pillow.Image, kind: str, **options: Any) -> bytes:
        buffer = BytesIO()
        picture.save(buffer, kind, **options)
        return buffer.getvalue()

    return save


@pytest.fixture(scope="session")
def jpeg(photo: Pillow.Image, saved: Bytes) -> bytes:
    return saved(photo, "JPEG", quality=80)


@pytest.fixture(scope="session")
def png(photo: Pillow.Image, saved: Bytes) -> bytes:
    return saved(photo, "PNG")


@pytest.fixture(scope="session")
def webp(photo: Pillow.Image, saved: Bytes) -> bytes:
    """With an extended header, so that chunks of any kind may follow the picture."""
    return saved(photo, "WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")


@pytest.fixture(scope="session")
def files(jpeg: bytes, png: bytes, webp: bytes) -> dict[MediaType, bytes]:
    return {MediaType.JPEG: jpeg, MediaType.PNG: png, MediaType.WEBP: webp}


@pytest.fixture(scope="session")
def segment() -> Bytes:
    """A segment of a JPEG file: ``segment(0xFE, b"a comment")``."""

    def build(marker: int, content: bytes) -> bytes:
        return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content

    return build


@pytest.fixture(scope="session")
def chunk() -> Bytes:
    """A chunk of a PNG file, its checksum right."""

    def build(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + _checksum(kind + content)

    return build


def _checksum(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))


@pytest.fixture(scope="session")
def jpeg_with(jpeg: bytes, segment: Bytes) -> Bytes:
    """A sound JPEG with one more segment at its start."""

    def build(marker: int, content: bytes) -> bytes:
        return jpeg[:2] + segment(marker, content) + jpeg[2:]

    return build


@pytest.fixture(scope="session")
def png_with(png: bytes, chunk: Bytes) -> Bytes:
    """A sound PNG with one more chunk behind its header, as often as asked."""

    def build(kind: bytes, content: bytes, times: int = 1) -> bytes:
        return png[:33] + chunk(kind, content) * times + png[33:]

    return build


@pytest.fixture(scope="session")
def webp_with(webp: bytes) -> Bytes:
    """A sound WebP with one more chunk at its end."""

    def build(kind: bytes, content: bytes) -> bytes:
        body = (
            webp[8:] + kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        )
        return b"RIFF" + struct.pack("<I", len(body)) + body

    return build


@pytest.fixture(scope="session")
def archive() -> bytes:
    """A real zip archive."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("shell.php", "echo 1;")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def makers_trailer() -> Bytes:
    """What one maker of phones ends its files with: data, their directory, its length, a mark."""

    def build(content: bytes = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1700000000000") -> bytes:
        size = struct.pack("<I", len(content))
        directory = b"SEFH" + struct.pack("<II", 107, 1) + b"\0\0\x01\x0a" + size + size
        return content + directory + struct.pack("<I", len(directory)) + b"SEFT"

    return build


@pytest.fixture(scope="session")
def refusal_of() -> Callable[..., str]:
    """The code that a file is refused with, empty where it is not."""

    def code(data: bytes, media_type: MediaType, limits: PictureLimits | None = None) -> str:
        try:
            examine(data, media_type, limits or PictureLimits())
        except Unacceptable as refused:
            return refused.code
        return ""

    return code


@pytest.fixture(scope="session")
def signs_of() -> Callable[..., set[str]]:
    """The codes of what is odd about a file that is a picture."""

    def codes(data: bytes, media_type: MediaType) -> set[str]:
        return {*examine(data, media_type, PictureLimits()).signs, *marks_in(data)}

    return codes


@pytest.fixture(scope="session")
def grey_profile() -> bytes:
    """A colour profile for grey pictures whose levels are linear in light."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63_190, 65_536, 54_061)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0100) + bytes(2)
    tags = b"".join(
        struct.pack(">4sII", name, 156 + start, size)
        for name, start, size in ((b"wtpt", 0, 20), (b"kTRC", 20, 16))
    )
    body = struct.pack(">I", 2) + tags + bytes(156 - 128 - 4 - len(tags)) + white + curve
    head = struct.pack(
        ">I4sI4s4s4s12x4s28x3i48x",
        *(128 + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"acsp"),
        *(63_190, 65_536, 54_061),
    )
    return head + body
