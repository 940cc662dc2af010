"""Whole files: what is refused from the header alone, what is odd, and what is ordinary."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits
from inference.gate.media import PILLOW_FORMATS, MediaType

LIMITS = PictureLimits()
WALKED = (MediaType.JPEG, MediaType.PNG, MediaType.WEBP)
PHP = b"<?php system($_GET[0]); ?>"
PROGRAM = b"MZ" + bytes(126) + b"PE\0\0"


def _until_header(data: bytes, media_type: MediaType) -> bytes:
    """A file cut off right behind what states its size."""
    if media_type is MediaType.JPEG:
        start = data.index(b"\xff\xc0")
        return data[: start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")]
    if media_type is MediaType.PNG:
        return data[:33]
    return data[:4] + struct.pack("<I", 22) + data[8:30]


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((200, 101), "too_many_pixels"),
        ((1_001, 16), "side_too_long"),
        ((7, 20), "too_small"),
        ((161, 8), "extreme_ratio"),
        ((130, 130), "expands_too_much"),
    ],
)
@pytest.mark.parametrize("media_type", WALKED)
def test_the_size_is_judged_before_any_pixel_is_there(
    saved: Callable[..., bytes],
    refusal_of: Callable[..., str],
    media_type: MediaType,
    size: tuple[int, int],
    code: str,
) -> None:
    limits = PictureLimits(max_pixels=20_000, max_side=1_000, free_bytes=50_000, max_expansion=30)
    data = saved(Pillow.new("RGB", size), PILLOW_FORMATS[media_type])
    head = _until_header(data, media_type)
    assert refusal_of(head, media_type, limits) == code
    assert refusal_of(head, media_type, PictureLimits(min_side=1, max_ratio=200)) in {
        "truncated",
        "unreadable",
    }


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("media_type", WALKED)
def test_a_file_that_breaks_off_is_refused(
    files: dict[MediaType, bytes],
    refusal_of: Callable[..., str],
    media_type: MediaType,
    share: float,
) -> None:
    data = files[media_type]
    assert refusal_of(data[: int(share * len(data))], media_type) in {"truncated", "unreadable"}


@pytest.mark.parametrize(
    ("media_type", "options"),
    [
        (MediaType.JPEG, {"quality": 60, "comment": "A day at the beach"}),
        (MediaType.JPEG, {"progressive": True, "optimize": True}),
        (MediaType.PNG, {"optimize": True}),
        (MediaType.WEBP, {"lossless": True}),
        (MediaType.WEBP, {"quality": 50}),
        (MediaType.GIF, {}),
        (MediaType.BMP, {}),
        (MediaType.TIFF, {"compression": "tiff_lzw"}),
    ],
)
def test_an_ordinary_picture_shows_no_signs(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
    options: dict[str, Any],
) -> None:
    assert signs_of(saved(photo, PILLOW_FORMATS[media_type], **options), media_type) == set()


def test_camera_data_and_a_profile_show_no_signs(
    photo: Pillow.Image, saved: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    exif = Pillow.Exif()
    exif[0x010F], exif[0x010E], exif[0x0112] = "Maker", "A person <3", 1
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF/></x:xmpmeta>"
    for media_type in WALKED:
        data = saved(photo, PILLOW_FORMATS[media_type], exif=exif, xmp=xmp)
        assert signs_of(data, media_type) == set()


@pytest.mark.parametrize("media_type", WALKED)
def test_padding_and_trailers_of_cameras_are_not_odd(
    files: dict[MediaType, bytes],
    makers_trailer: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    trailer = makers_trailer()
    for content in (b"", bytes(4_000), trailer, bytes(9) + trailer):
        assert signs_of(files[media_type] + content, media_type) == set()


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


def test_several_pictures_are_counted(
    photo: Pillow.Image, saved: Callable[..., bytes], jpeg: bytes
) -> None:
    more = {"save_all": True, "append_images": [photo.rotate(90)]}
    for data, media_type in (
        (jpeg * 2, MediaType.JPEG),
        (saved(photo, "PNG", **more), MediaType.PNG),
        (saved(photo, "WEBP", **more), MediaType.WEBP),
    ):
        signs = dict(examine(data, media_type, LIMITS).signs)
        assert signs == {"several_frames": {"frames": 2.0}}


def test_a_missing_end_is_said_where_the_pixels_are_all_there(
    png: bytes, photo: Pillow.Image
) -> None:
    examined = examine(png[:-12], MediaType.PNG, LIMITS)
    assert dict(examined.signs) == {"end_missing": {}}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


@pytest.mark.parametrize("media_type", WALKED)
def test_a_damaged_profile_is_said(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    signs_of: Callable[..., set[str]],
    media_type: MediaType,
) -> None:
    data = saved(photo, PILLOW_FORMATS[media_type], icc_profile=b"no profile at all")
    assert signs_of(data, media_type) == {"profile_unusable"}


def test_exif_data_that_cannot_be_read_are_said_and_turn_nothing(
    jpeg: bytes, jpeg_with: Callable[..., bytes]
) -> None:
    for damage in (b"II*\0", b"garbage!"):
        examined = examine(jpeg_with(0xE1, b"Exif\0\0" + damage), MediaType.JPEG, LIMITS)
        assert dict(examined.signs) == {"exif_unusable": {}}
        assert examined.orientation == 1


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


@pytest.fixture(scope="module")
def tall(saved: Callable[..., bytes]) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (640, 128, 3), dtype=np.uint8)
    return saved(Pillow.fromarray(noise), "JPEG", quality=80)


@pytest.mark.parametrize(("share", "code"), [(0.995, ""), (0.93, ""), (0.87, "truncated")])
def test_a_tenth_of_a_camera_picture_may_be_missing(
    tall: bytes, refusal_of: Callable[..., str], share: float, code: str
) -> None:
    assert refusal_of(tall[: int(share * len(tall))], MediaType.JPEG) == code


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5, 0.85])
@pytest.mark.parametrize("options", [{}, {"restart_marker_rows": 1}, {"subsampling": 0}])
def test_whatever_little_of_a_camera_picture_is_there_is_too_little(
    photo: Pillow.Image,
    saved: Callable[..., bytes],
    refusal_of: Callable[..., str],
    options: dict[str, Any],
    share: float,
) -> None:
    data = saved(photo.resize((384, 576)), "JPEG", quality=90, **options)
    assert refusal_of(data[: int(share * len(data))], MediaType.JPEG) == "truncated"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_how_much_is_missing_does_not_depend_on_how_the_picture_stands(
    tall: bytes, segment: Callable[..., bytes], refusal_of: Callable[..., str], orientation: int
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = tall[:2] + segment(0xE1, exif.tobytes()) + tall[2:]
    assert refusal_of(data[: int(0.93 * len(data))], MediaType.JPEG) == ""
    assert refusal_of(data[: int(0.8 * len(data))], MediaType.JPEG) == "truncated"


def test_a_missing_pass_is_a_missing_picture(
    photo: Pillow.Image, saved: Callable[..., bytes], refusal_of: Callable[..., str]
) -> None:
    data = saved(photo, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert refusal_of(data[:last], MediaType.JPEG) == "truncated"


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"gAMA", b"pHYs", b"prVt"])
def test_a_damaged_piece_that_no_pixel_needs_is_left_out(
    png_with: Callable[..., bytes], photo: Pillow.Image, kind: bytes
) -> None:
    data = bytearray(png_with(kind, b"Comment\0\0spoken words"))
    data[60] ^= 1
    examined = examine(bytes(data), MediaType.PNG, LIMITS)
    assert dict(examined.signs) == {"checksum_differs": {"pieces": 1.0}}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


@pytest.mark.parametrize("kept", [8, 9, 20, 30])
def test_a_file_that_breaks_off_in_a_piece_that_no_pixel_needs_is_whole_but_for_it(
    png: bytes, photo: Pillow.Image, kept: int
) -> None:
    text = struct.pack(">I", 1_000) + b"tEXtComment\0" + b"spoken words " * 80
    examined = examine(png[:-12] + text[:kept], MediaType.PNG, LIMITS)
    assert set(examined.signs) == {"end_missing", "checksum_differs"}
    assert np.array_equal(np.asarray(examined.picture), np.asarray(photo))


def test_a_damaged_orientation_turns_nothing(
    png_with: Callable[..., bytes], photo: Pillow.Image
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    data = bytearray(png_with(b"eXIf", exif.tobytes()[6:]))
    assert examine(bytes(data), MediaType.PNG, LIMITS).picture.size == (96, 128)
    data[data.index(b"eXIf") + 4 + len(exif.tobytes()) - 6] ^= 1
    assert examine(bytes(data), MediaType.PNG, LIMITS).picture.size == photo.size


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_damaged_piece_that_the_picture_needs_is_refused(
    png: bytes, refusal_of: Callable[..., str], kind: bytes
) -> None:
    start = png.index(kind)
    end = start + 4 + int.from_bytes(png[start - 4 : start])
    data = png[:end] + bytes((png[end] ^ 1,)) + png[end + 1 :]
    assert refusal_of(data, MediaType.PNG) == "unreadable"


@pytest.mark.parametrize("cut", [1, 4, 8, 11, 12])
def test_an_end_that_is_cut_off_is_a_missing_end(
    png: bytes, signs_of: Callable[..., set[str]], cut: int
) -> None:
    assert signs_of(png[:-cut], MediaType.PNG) == {"end_missing"}


def test_it_is_said_that_a_picture_was_made_smaller(jpeg: bytes) -> None:
    examined = examine(jpeg, MediaType.JPEG, PictureLimits(max_decoded_pixels=4_000))
    assert dict(examined.signs) == {"made_smaller": {"times": 2.0}}
    assert examined.picture.size == (64, 48)


def test_the_depths_of_a_portrait_are_ordinary(
    jpeg: bytes, segment: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)
    depths = segment(0xE1, head + b"QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 2_400) * 250
    assert len(depths) > 15_000_000
    assert signs_of(jpeg[:2] + depths + jpeg[2:], MediaType.JPEG) == set()


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
