"""Every byte of a file belongs to a piece that is searched: a mark is found wherever it is planted.

The mark is a short one, which does not count in what is named as pixels.
"""

import struct
import zlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image as Pillow

from inference.gate.decoder.examine import examine
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.media import MediaType

Bytes = Callable[..., bytes]
Piece = Callable[[bytes], bytes]
MARK = b" onload='x' "
LONG_TEXT = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + _sum(kind + content)


def _sum(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))


def _riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


# Pieces that may stand in front of the pixels, in any order.
OF_JPEG: dict[str, Piece] = {
    "comment": lambda text: _segment(0xFE, text),
    "application data": lambda text: _segment(0xE4, text),
    "exif": lambda text: _segment(0xE1, b"Exif\0\0" + text),
    "profile": lambda text: _segment(0xE2, b"ICC_PROFILE\0\1\1" + text),
    "head of a profile": lambda text: _segment(0xE2, b"ICC_PROFILE" + text),
    "number of lines": lambda text: _segment(0xDC, text),
    "restart interval": lambda text: _segment(0xEF, text),
    "between segments": lambda text: text,
    "long text": lambda text: _segment(0xE1, LONG_TEXT + text),
    "long text in two": lambda text: (
        _segment(0xE1, LONG_TEXT + text[:5]) + _segment(0xE1, LONG_TEXT + text[5:])
    ),
}
OF_PNG: dict[str, Piece] = {
    "text": lambda text: _chunk(b"tEXt", b"Comment\0" + text),
    "keyword": lambda text: _chunk(b"tEXt", text + b"\0words"),
    "packed text": lambda text: _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text)),
    "behind a packed text": lambda text: _chunk(b"zTXt", b"C\0\0" + zlib.compress(b"x") + text),
    "packed with another flag": lambda text: _chunk(b"iTXt", b"C\0\2\0\0\0" + zlib.compress(text)),
    "language": lambda text: _chunk(b"iTXt", b"C\0\1\0" + text + b"\0\0" + zlib.compress(b"x")),
    "plain text of any language": lambda text: _chunk(b"iTXt", b"C\0\0\0\0\0" + text),
    "private": lambda text: _chunk(b"prVt", text),
    "damaged": lambda text: _chunk(b"prVt", text)[:-1] + b"?",
    "sum": lambda text: _chunk(b"prVt", b"words")[:-4] + text[1:5] + _chunk(b"prVt", text),
}
ONCE_OF_PNG: dict[str, Piece] = {
    "profile": lambda text: _chunk(b"iCCP", b"name\0\0" + zlib.compress(text)),
    "name of a profile": lambda text: _chunk(b"iCCP", text + b"\0\0" + zlib.compress(b"x")),
    "behind a profile": lambda text: _chunk(b"iCCP", b"n\0\0" + zlib.compress(b"x") + text),
}
OF_WEBP: dict[str, Piece] = {
    "private": lambda text: _riff(b"JUNK", text),
    "a second transparency": lambda text: _riff(b"ALPH", text),
    "colours behind colours": lambda text: _riff(b"VP8L", text),
    "xmp": lambda text: _riff(b"XMP ", text),
    "animation": lambda text: _riff(b"ANIM", bytes(6) + text),
    "header": lambda text: _riff(b"VP8X", bytes(10) + text),
}


def _has_sign(data: bytes, media_type: MediaType) -> bool:
    try:
        return "script_in_metadata" in examine(data, media_type, PictureLimits()).signs
    except Unacceptable:
        return True


def _planted(pieces: dict[str, Piece], names: Sequence[str], chosen: int) -> bytes:
    marked = chosen % len(names)
    return b"".join(
        pieces[name](MARK if number == marked else b"nothing here")
        for number, name in enumerate(names)
    )


def _names(pieces: dict[str, Piece]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(pieces)), min_size=1, max_size=6)


@given(names=_names(OF_JPEG), chosen=st.integers(0, 5))
def test_in_each_piece_of_a_jpeg(jpeg: bytes, names: list[str], chosen: int) -> None:
    assert _has_sign(jpeg[:2] + _planted(OF_JPEG, names, chosen) + jpeg[2:], MediaType.JPEG)


@pytest.mark.parametrize("name", sorted(set(OF_JPEG) - {"between segments"}))
def test_a_jpeg_with_each_piece_passes(jpeg: bytes, name: str) -> None:
    assert not _has_sign(jpeg[:2] + OF_JPEG[name](b"nothing here") + jpeg[2:], MediaType.JPEG)


@given(names=_names(OF_JPEG), chosen=st.integers(0, 5))
def test_in_each_piece_of_a_preview(jpeg: bytes, names: list[str], chosen: int) -> None:
    second = jpeg[:2] + _segment(0xFE, b"") + _planted(OF_JPEG, names, chosen) + jpeg[2:]
    assert _has_sign(jpeg + second, MediaType.JPEG)


@given(names=_names(OF_JPEG), chosen=st.integers(0, 5))
def test_in_each_piece_between_two_passes(
    photo: Pillow.Image, saved: Bytes, names: list[str], chosen: int
) -> None:
    data = saved(photo, "JPEG", progressive=True)
    second = data.index(b"\xff\xc4", data.index(b"\xff\xda"))
    names = [name for name in names if name != "between segments"] or ["comment"]
    planted = _planted(OF_JPEG, names, chosen)
    assert _has_sign(data[:second] + planted + data[second:], MediaType.JPEG)


@given(names=_names(OF_PNG), once=st.sampled_from(sorted(ONCE_OF_PNG)), chosen=st.integers(0, 6))
@example(names=["packed with another flag"], once="profile", chosen=0)
def test_in_each_piece_of_a_png(png: bytes, names: list[str], once: str, chosen: int) -> None:
    planted = _planted({**OF_PNG, **ONCE_OF_PNG}, [once, *names], chosen)
    assert _has_sign(png[:33] + planted + png[33:], MediaType.PNG)
    assert _has_sign(png[:-12] + planted + png[-12:], MediaType.PNG)


@pytest.mark.parametrize("name", [*OF_PNG, *ONCE_OF_PNG])
def test_a_png_with_each_piece_passes(png: bytes, name: str) -> None:
    piece = {**OF_PNG, **ONCE_OF_PNG}[name]
    assert not _has_sign(png[:33] + piece(b"nothing here") + png[33:], MediaType.PNG)
    data = png[:33] + piece(MARK) + png[33:]
    assert "script_in_metadata" in examine(data, MediaType.PNG, PictureLimits()).signs


@given(names=_names(OF_WEBP), chosen=st.integers(0, 5))
def test_in_each_piece_of_a_webp(webp: bytes, names: list[str], chosen: int) -> None:
    body = webp[8:] + _planted(OF_WEBP, names, chosen)
    assert _has_sign(b"RIFF" + struct.pack("<I", len(body)) + body, MediaType.WEBP)


@pytest.mark.parametrize("name", ["private", "xmp", "animation"])
def test_a_webp_with_each_piece_passes(webp: bytes, name: str) -> None:
    body = webp[8:] + OF_WEBP[name](b"nothing here")
    assert not _has_sign(b"RIFF" + struct.pack("<I", len(body)) + body, MediaType.WEBP)


def test_in_a_second_transparency_of_a_webp(photo: Pillow.Image, saved: Bytes) -> None:
    clear = photo.convert("RGBA")
    clear.putalpha(Pillow.linear_gradient("L").resize(photo.size))
    data = saved(clear, "WEBP")
    for behind in (b"ALPH", b"VP8 "):
        start = data.index(behind)
        end = start + 8 + (int.from_bytes(data[start + 4 : start + 8], "little") + 1) // 2 * 2
        body = data[8:end] + _riff(b"ALPH", MARK) + data[end:]
        assert _has_sign(b"RIFF" + struct.pack("<I", len(body)) + body, MediaType.WEBP)


@pytest.mark.parametrize("kind", [b"JUNK", b"ALPH", b"VP8 "])
def test_inside_a_frame_of_a_webp(photo: Pillow.Image, saved: Bytes, kind: bytes) -> None:
    data = saved(photo, "WEBP", save_all=True, append_images=[photo.rotate(90)])
    start = data.rindex(b"ANMF")
    length = int.from_bytes(data[start + 4 : start + 8], "little")
    hidden = _riff(kind, MARK)
    frame = _riff(b"ANMF", data[start + 8 : start + 8 + length] + hidden)
    body = data[8:start] + frame + data[start + 8 + length :]
    assert _has_sign(b"RIFF" + struct.pack("<I", len(body)) + body, MediaType.WEBP)


def test_behind_the_pixels_of_a_png(png: bytes) -> None:
    start = png.index(b"IDAT")
    end = start + 4 + int.from_bytes(png[start - 4 : start])
    packed = png[start + 4 : end]
    for content in (packed + MARK, packed[:-4] + MARK):
        data = png[: start - 4] + _chunk(b"IDAT", content) + png[end + 4 :]
        assert _has_sign(data, MediaType.PNG)
    data = png[: end + 4] + _chunk(b"IDAT", MARK) + png[end + 4 :]
    assert "script_in_metadata" in examine(data, MediaType.PNG, PictureLimits()).signs


def test_in_the_end_chunk_of_a_png(png: bytes) -> None:
    assert _has_sign(png[:-12] + _chunk(b"IEND", MARK), MediaType.PNG)


@pytest.mark.parametrize("media_type", [MediaType.JPEG, MediaType.PNG, MediaType.WEBP])
def test_behind_the_end(files: dict[MediaType, bytes], media_type: MediaType) -> None:
    for padding in (b"", bytes(100)):
        data = files[media_type] + padding + MARK
        assert "script_in_metadata" in examine(data, media_type, PictureLimits()).signs


def test_another_flag_does_not_unpack_without_bound(png_with: Bytes) -> None:
    for flag in (1, 2, 255):
        text = b"C\0" + bytes((flag,)) + b"\0\0\0" + zlib.compress(bytes(60_000_000))
        with pytest.raises(Unacceptable, match="metadata_too_large"):
            examine(png_with(b"iTXt", text), MediaType.PNG, PictureLimits())


def test_pixels_do_not_count_as_text(photo: Pillow.Image, saved: Bytes) -> None:
    data = saved(photo, "JPEG", quality=80)
    scan = data.index(b"\xff\xda") + 40
    assert not _has_sign(data[:scan] + b"eval('" + data[scan + 6 :], MediaType.JPEG)
