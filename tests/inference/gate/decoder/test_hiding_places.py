"""Places of a file that no viewer shows: what is hidden there must be seen, and no more."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.decoder.limits import PictureLimits
from inference.gate.decoder.suspicions import is_polyglot
from inference.gate.media import MediaType

PHP = b"<?php system($_GET[0]); ?>"
FILM = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0\0\0\x11mdat" + b"\1" * 9


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"], ids=["without an end", "before the end"])
def test_an_archive_behind_the_last_scan_is_seen(
    jpeg: bytes, archive: bytes, signs_of: Callable[..., set[str]], end: bytes
) -> None:
    assert "polyglot" in signs_of(jpeg[:-2] + archive + end, MediaType.JPEG)


def test_an_archive_posing_as_a_second_picture_is_seen(
    jpeg: bytes, archive: bytes, signs_of: Callable[..., set[str]]
) -> None:
    second = b"\xff\xd8\xff\xfe\0\2" + archive + b"\xff\xd9"
    assert "polyglot" in signs_of(jpeg + second, MediaType.JPEG)


@pytest.mark.parametrize(
    ("marker", "content"),
    [
        (0xE1, b"ICC_PROFILE\0" + PHP),
        (0xE2, b"ICC_PROFILE\0\1\1" + PHP),
        (0xDC, PHP),
    ],
    ids=["posing as a profile", "in a profile", "in a number of lines"],
)
def test_a_script_in_any_segment_is_seen(
    jpeg_with: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    marker: int,
    content: bytes,
) -> None:
    assert "script_in_metadata" in signs_of(jpeg_with(marker, content), MediaType.JPEG)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (b"prVt", PHP),
        (b"iCCP", b"name\0\0" + zlib.compress(PHP)),
        (b"zTXt", b"Comment\0\0" + zlib.compress(PHP)[:-4] + b"oops"),
        (b"PLTE", PHP + b" "),
    ],
    ids=["in a private chunk", "in a profile", "in a text with a wrong sum", "in a palette"],
)
def test_a_script_in_any_chunk_is_seen(
    png_with: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    kind: bytes,
    content: bytes,
) -> None:
    assert "script_in_metadata" in signs_of(png_with(kind, content), MediaType.PNG)


def test_a_script_in_an_unknown_chunk_is_seen(
    webp_with: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    assert "script_in_metadata" in signs_of(webp_with(b"JUNK", PHP), MediaType.WEBP)


def test_a_film_behind_a_photo_is_no_sign(jpeg: bytes, signs_of: Callable[..., set[str]]) -> None:
    assert signs_of(jpeg + FILM, MediaType.JPEG) == set()


def test_ordinary_binary_metadata_are_no_program_text(
    jpeg_with: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    chance = np.random.default_rng(0)
    binary = [b"Exif\0\0" + chance.bytes(60_000) for _ in range(400)]
    signs = [signs_of(jpeg_with(0xE1, blob), MediaType.JPEG) for blob in binary]
    # Bytes that are drawn are no Exif data either.
    assert set().union(*signs) == {"exif_unusable"}


def test_ordinary_words_before_a_bracket_are_no_program_text(
    jpeg_with: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    assert signs_of(jpeg_with(0xFE, b"The solar system (a drawing)"), MediaType.JPEG) == set()


def test_a_still_picture_that_an_animation_replaces_is_a_sign(
    saved: Callable[..., bytes], chunk: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    shown, hidden = (saved(Pillow.new("RGB", (32, 32), name), "PNG") for name in ("red", "green"))
    start = hidden.index(b"IDAT")
    pixels = hidden[start + 4 : start + 4 + int.from_bytes(hidden[start - 4 : start], "big")]
    frame = struct.pack(">5I2H2B", 0, 32, 32, 0, 0, 1, 1, 0, 0)
    animation = chunk(b"acTL", struct.pack(">II", 1, 0))
    data = shown[:33] + animation + shown[33:-12] + chunk(b"fcTL", frame)
    data += chunk(b"fdAT", b"\0\0\0\1" + pixels) + shown[-12:]
    assert signs_of(data, MediaType.PNG) == {"several_frames"}


def test_unpacking_stops_where_all_texts_together_are_too_large(
    png_with: Callable[..., bytes],
    refusal_of: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unpacked: list[int] = []
    real = zlib.decompressobj

    def counting(window: int) -> object:
        unpacked.append(1)
        return real(window)

    text = b"Comment\0\0" + zlib.compress(bytes(600))
    data = png_with(b"zTXt", text, times=50)
    monkeypatch.setattr("inference.gate.decoder.parts.zlib.decompressobj", counting)
    limits = PictureLimits(max_metadata_bytes=1_000)
    assert refusal_of(data, MediaType.PNG, limits) == "metadata_too_large"
    assert len(unpacked) == 2


def test_a_text_below_the_bound_is_no_reason_to_refuse(
    png_with: Callable[..., bytes], refusal_of: Callable[..., str]
) -> None:
    text = b"Comment\0\0" + zlib.compress(bytes(2_000_000))
    assert refusal_of(png_with(b"zTXt", text), MediaType.PNG) == ""


def test_a_document_in_the_profile_of_a_second_picture_is_seen(
    jpeg: bytes, jpeg_with: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    second = jpeg_with(0xE2, b"ICC_PROFILE\0\1\1" + b"%PDF-1.7")
    assert "polyglot" in signs_of(second, MediaType.JPEG)
    assert "polyglot" in signs_of(jpeg + second, MediaType.JPEG)


def test_an_archive_before_a_decoy_is_seen(
    jpeg: bytes, archive: bytes, signs_of: Callable[..., set[str]]
) -> None:
    data = jpeg[:-2] + archive + b"PK\x05\x06" + jpeg[-2:]
    assert "polyglot" in signs_of(data, MediaType.JPEG)


def test_an_archive_of_the_large_kind_is_seen(jpeg: bytes, archive: bytes) -> None:
    directory, end = archive.index(b"PK\x01\x02"), archive.index(b"PK\x05\x06")
    sizes = (44, 45, 45, 0, 0, 1, 1, end - directory, directory)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", *sizes)
    place = b"PK\x06\x07" + struct.pack("<IQI", 0, end, 1)
    last = b"PK\x05\x06" + bytes(4) + b"\xff" * 12 + b"\2\0"
    data = jpeg[:-2] + archive[:end] + record + place + last + jpeg[-2:]
    assert zipfile.ZipFile(BytesIO(data)).namelist() == ["shell.php"]
    assert is_polyglot(data, [])
    without_entry = data.replace(b"PK\x03\x04", b"PK\x03\x05")
    assert is_polyglot(without_entry, [])
    assert not is_polyglot(without_entry.replace(b"PK\x06\x07", b"PK\x06\x08"), [])
