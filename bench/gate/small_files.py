"""Small files that are made to cost seconds: the slowest of them through the whole gate."""

import struct
import zlib
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from time import perf_counter

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

from bench.gate.one_client import expensive_picture
from bench.report import Figures
from inference.gate.screen import Gate
from inference.refusals import Refusal

_MOST_BYTES = 300_000
_ROUNDS = 5
_BEHIND_PNG_HEADER = 33
_LONG_TEXT = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)


def measure_small_files(gate: Gate) -> Figures:
    """Milliseconds of each file, the least of a few times, and the slowest of all."""
    files = {name: make() for name, make in _FILES.items()}
    too_large = [name for name, data in files.items() if len(data) > _MOST_BYTES]
    assert not too_large, too_large  # noqa: S101 - or the figures below mean nothing
    milliseconds = {name: _milliseconds(gate, data) for name, data in files.items()}
    return {
        "slowest_small_file_ms": max(milliseconds.values()),
        "small_file_ms": milliseconds,
        "small_file_outcomes": dict(Counter(_outcome(gate, data) for data in files.values())),
    }


def _milliseconds(gate: Gate, data: bytes) -> float:
    times = []
    for _ in range(_ROUNDS):
        start = perf_counter()
        gate.screen(data)
        times.append((perf_counter() - start) * 1000)
    return min(times)


def _outcome(gate: Gate, data: bytes) -> str:
    outcome = gate.screen(data)
    return outcome.code if isinstance(outcome, Refusal) else "accepted"


def _saved(picture: Pillow.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _plain(side: int, mode: str = "RGB") -> Pillow.Image:
    return Pillow.new(mode, (side, side), 120)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _with_segments(segments: bytes) -> bytes:
    data = _saved(_plain(64), "JPEG")
    return data[:2] + segments + data[2:]


def _with_chunks(chunks: bytes) -> bytes:
    data = _saved(_plain(64), "PNG")
    return data[:_BEHIND_PNG_HEADER] + chunks + data[_BEHIND_PNG_HEADER:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def _padded_png(data: bytes) -> bytes:
    """As many bytes as allow the most pixels for each of them."""
    filler = np.random.default_rng(1).bytes(_MOST_BYTES - len(data) - 12)
    return data[:_BEHIND_PNG_HEADER] + _chunk(b"prVt", filler) + data[_BEHIND_PNG_HEADER:]


def _padded_webp(data: bytes) -> bytes:
    filler = np.random.default_rng(1).bytes((_MOST_BYTES - len(data) - 8) // 2 * 2)
    body = data[8:] + b"JUNK" + struct.pack("<I", len(filler)) + filler
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _padded_jpeg(data: bytes) -> bytes:
    filler = np.random.default_rng(1).bytes(60_000)
    segments = _segment(0xFE, filler) * ((_MOST_BYTES - len(data)) // (len(filler) + 4))
    return data[:2] + segments + data[2:]


def _deep_png(side: int) -> bytes:
    """Eight bytes a pixel, of which three are shown."""
    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    packer, row = zlib.compressobj(9), bytes(1 + 8 * side)
    rows = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    return start + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _packed_text(text: bytes) -> bytes:
    return _with_chunks(_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text, 9)))


def _passes(side: int, more: int) -> bytes:
    data = _saved(_plain(side, "L"), "JPEG", progressive=True, quality=30)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * more + data[-2:]


def _profile_in_pieces() -> bytes:
    return _with_segments(_segment(0xE2, b"") * 47_000)


def _behind_the_end(text: bytes) -> bytes:
    return _saved(_plain(64), "JPEG") + text * (250_000 // len(text)) + b"x"


def _noise(side: int) -> Pillow.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Pillow.fromarray(pixels)


def _profile_with_program(steps: int) -> bytes:
    """The profile sRGB with so many steps that change nothing."""
    old = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = int.from_bytes(old[128:132])
    tags = [struct.unpack(">4sII", old[132 + 12 * n : 144 + 12 * n]) for n in range(count)]
    step = struct.pack(">4sIHH12f", b"matf", 0, 3, 3, *np.eye(3).ravel(), 0, 0, 0)
    places = struct.pack(">II", 16 + 8 * steps, len(step)) * steps
    program = struct.pack(">4sIHHI", b"mpet", 0, 3, 3, steps) + places + step
    end = len(old) + 12
    moved = [(name, start + 12, size) for name, start, size in tags]
    table = b"".join(struct.pack(">4sII", *tag) for tag in (*moved, (b"D2B1", end, len(program))))
    head = struct.pack(">I4sI", end + len(program), old[4:8], 0x04300000) + old[12:128]
    return head + struct.pack(">I", count + 1) + table + old[132 + 12 * count :] + program


def _stripes(side: int, mode: str) -> Pillow.Image:
    """No two neighbours in a row are alike, and all rows are."""
    channels = len(mode)
    row = np.random.default_rng(0).integers(0, 256, (1, 16, channels), dtype=np.uint8)
    return Pillow.fromarray(np.tile(row, (side, side // 16 + 1, 1))[:, :side].copy(), mode)


def _wide_profile() -> bytes:
    """The profile sRGB with red and green changed for one another."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"?XYZ", 1).replace(b"gXYZ", b"rXYZ", 1)
    return swapped.replace(b"?XYZ", b"gXYZ", 1)


_FILES: dict[str, Callable[[], bytes]] = {
    "programs_that_never_begin": lambda: _packed_text(b"MZP" * 1_300_000),
    "programs_that_only_end": lambda: _packed_text(b"PE\0\0" * 980_000),
    "programs_in_a_small_text": lambda: _packed_text(b"MZP" * 700_000),
    "marks_without_an_end": lambda: _packed_text(b"onload=  " * 440_000),
    "blanks": lambda: _packed_text(b"<!doctype" + b" " * 3_900_000),
    "many_passes": lambda: _passes(2_000, 85),
    "passes_at_the_limit": lambda: _passes(2_000, 43),
    "passes_over_many_pixels": lambda: _passes(4_400, 3),
    "empty_profile_pieces": _profile_in_pieces,
    "profile_pieces_at_the_limit": lambda: _with_segments(
        _segment(0xE2, b"ICC_PROFILE\0\1\1") * 15_000
    ),
    "comments": lambda: _with_segments(_segment(0xFE, b"") * 19_000),
    "long_texts": lambda: _with_segments(_segment(0xE1, _LONG_TEXT) * 3_700),
    "empty_chunks": lambda: _with_chunks(_chunk(b"tEXt", b"") * 19_000),
    "texts": lambda: _with_chunks(_chunk(b"tEXt", b"a\0b") * 18_000),
    "plain_png": lambda: _padded_png(_saved(_plain(4_050), "PNG", compress_level=9)),
    "plain_clear_png": lambda: _padded_png(_saved(_plain(3_500, "RGBA"), "PNG", compress_level=9)),
    "plain_palette_png": lambda: _padded_png(_saved(_plain(4_050, "P"), "PNG")),
    "plain_grey_png": lambda: _padded_png(_saved(_plain(4_050, "L"), "PNG")),
    "plain_bits_png": lambda: _padded_png(_saved(Pillow.new("1", (4_050, 4_050)), "PNG")),
    "plain_deep_png": lambda: _padded_png(_deep_png(2_450)),
    "plain_jpeg": lambda: _padded_jpeg(_saved(_plain(5_700, "L"), "JPEG", progressive=True)),
    "large_webp": lambda: _padded_webp(_saved(_plain(4_050), "WEBP", lossless=True, exif=b"MM")),
    "plain_webp": lambda: _saved(_plain(2_300), "WEBP", lossless=True),
    "programs_of_a_profile": lambda: _saved(
        _plain(64), "PNG", icc_profile=_profile_with_program(5_000)
    ),
    "profile_for_all_pixels": lambda: _saved(
        _stripes(2_300, "RGBA"), "WEBP", lossless=True, exact=True, icc_profile=_wide_profile()
    ),
    "profile_at_the_limit": lambda: _padded_png(
        _saved(_stripes(2_870, "LA"), "PNG", icc_profile=_wide_profile())
    ),
    "clear_webp": lambda: _padded_webp(
        _saved(_stripes(4_050, "RGBA"), "WEBP", lossless=True, exact=True)
    ),
    "clear_grey_png": lambda: _padded_png(_saved(_stripes(4_050, "LA"), "PNG")),
    "expensive_picture": expensive_picture,
    "noise_jpeg": lambda: _saved(_noise(900), "JPEG", quality=40),
    "films_behind_the_end": lambda: _behind_the_end(b"\0\0\0\x08ftyp"),
    "pictures_behind_the_end": lambda: _behind_the_end(b"\xff\xd8\xff\xd9"),
    "ends_behind_the_end": lambda: _behind_the_end(b"\xff\xd9"),
    "trailers_behind_the_end": lambda: _behind_the_end(b'vivo{"cameralbum!'),
}
