"""Archives, programs and scripts in a picture or behind it."""

import bz2
import lzma
import zlib
from collections.abc import Callable

import pytest

from inference.gate.decoder.examine import examine
from inference.gate.media import MediaType
from tests.inference.gate.decoder.examine.walked import LIMITS, PHP, WALKED

PROGRAM = b"MZ" + bytes(126) + b"PE\0\0"


@pytest.mark.parametrize("media_type", WALKED)
def test_an_archive_in_a_trailer_or_a_film_is_a_polyglot(
    files: dict[MediaType, bytes],
    makers_trailer: Callable[..., bytes],
    archive: bytes,
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42"
    for content in (makers_trailer(archive), film + archive):
        assert "polyglot" in signs_of(files[media_type] + content, media_type)


@pytest.mark.parametrize("media_type", WALKED)
def test_a_script_in_a_trailer_is_seen(
    files: dict[MediaType, bytes],
    makers_trailer: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    data = files[media_type] + makers_trailer(PHP)
    assert signs_of(data, media_type) == {"script_in_metadata"}


@pytest.mark.parametrize("media_type", WALKED)
def test_bytes_behind_the_picture_are_counted(
    files: dict[MediaType, bytes], media_type: MediaType
) -> None:
    for times, code in ((1, "trailing_note"), (1_024, "trailing_note"), (1_025, "trailing_data")):
        examined = examine(files[media_type] + b"\0" + b"more" * times + b"\0", media_type, LIMITS)
        assert dict(examined.signs) == {code: {"bytes": 4.0 * times}}


@pytest.mark.parametrize("media_type", WALKED)
def test_an_archive_behind_the_picture_is_a_polyglot(
    files: dict[MediaType, bytes],
    archive: bytes,
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    assert signs_of(files[media_type] + archive, media_type) == {"polyglot", "trailing_note"}


@pytest.mark.parametrize(
    ("content", "sign"),
    [
        (b"%PDF-1.4\n1 0 obj", "polyglot"),
        (PROGRAM, "polyglot"),
        (PHP, "script_in_metadata"),
        (b"<?php __HALT_COMPILER(); ?>", "polyglot"),
        (b"<script>x()</script>", "script_in_metadata"),
    ],
)
def test_what_stands_in_words_is_read_in_every_place_for_words(
    jpeg_with: Callable[..., bytes],
    png_with: Callable[..., bytes],
    webp_with: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    content: bytes,
    sign: str,
) -> None:
    exif, text = b"Exif\0\0MM\0*\0\0\0\x08\0\0", b"Comment\0"
    hidden = {
        jpeg_with(0xFE, content): MediaType.JPEG,
        jpeg_with(0xE1, exif + content): MediaType.JPEG,
        jpeg_with(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + content): MediaType.JPEG,
        png_with(b"tEXt", text + content): MediaType.PNG,
        png_with(b"zTXt", text + b"\0" + zlib.compress(content)): MediaType.PNG,
        png_with(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + content): MediaType.PNG,
        png_with(b"eXIf", exif[6:] + content): MediaType.PNG,
        webp_with(b"XMP ", content): MediaType.WEBP,
        webp_with(b"EXIF", exif + content): MediaType.WEBP,
    }
    for data, media_type in hidden.items():
        assert sign in signs_of(data, media_type)


@pytest.mark.parametrize(
    "packed",
    [
        zlib.compress(PHP, wbits=31),
        b"\x28\xb5\x2f\xfd" + PHP,
        bz2.compress(PHP),
        lzma.compress(PHP),
        b"Rar!\x1a\x07\1\0",
        b"!<arch>\ndebian-binary",
        b"\0asm\1\0\0\0",
        b"L\0\0\0\1\x14\2\0",
    ],
)
def test_packed_files_and_programs_behind_the_picture_are_polyglots(
    jpeg: bytes, signs_of: Callable[..., set[str]], packed: bytes
) -> None:
    for padding in (b"", bytes(9)):
        data = jpeg + padding + packed
        assert "polyglot" in signs_of(data, MediaType.JPEG)
