"""The work that a file costs grows with its bytes and its pixels, whatever stands in it."""

import re
import zlib
from collections.abc import Callable
from functools import partial
from time import thread_time

import pytest
from PIL import Image as Pillow

from inference.gate.decoder import suspicions, tail, trailers
from inference.gate.decoder.containers import jpeg as walker
from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.tail import Tail
from inference.gate.media import MediaType

LIMITS = PictureLimits()
SHORT, TIMES = 40_000, 8
# Twice as much for noise; work that grows with the square would take 64 times as long.
MOST = 2 * TIMES + 4
# Of the shorter input: a fiftieth of a second for a megabyte.
HARDLY_ANY_SECONDS = 0.001
MODULES = (suspicions, trailers, tail, walker)
HOSTILE = (
    b"MZP", b"MZ", b"PE\0\0", b"onload", b"onload ", b"onload=", b"onload= ", b"eval", b"eval (",
    b"system( ", b"<", b"<!doctype ", b"<!doctype" + b" " * 40, b" ", b"\t", b"#!", b"#! ", b"#!/",
    b"PK\x05\x06", b"PK\x03\x04", b"\xff", b"\xff\xd9", b"\0", b"\r\n", b"$", b"offset=",
    b";offset",
    b'Item:Length="1', b'"offset" ', b'"offset":', b"ftyp", b"\0\0\0\x08ftyp", b"\xff\xd8\xff",
    b"vivo{\"", b"streamdata", b"SEFT", b"edof", b"<script", b"ustar", b"MSCF\0\0\0", b"v1_f",
)  # fmt: skip


def _is_linear(work: Callable[[int], object]) -> bool:
    """Whether eight times the input takes about eight times as long, or hardly any time at all."""
    return any(
        _seconds(work, SHORT * TIMES) < MOST * max(_seconds(work, SHORT), HARDLY_ANY_SECONDS)
        for _ in range(5)
    )


def _seconds(work: Callable[[int], object], size: int) -> float:
    start = thread_time()
    work(size)
    return thread_time() - start


def _patterns() -> list[str]:
    """Every regular expression of the modules that read hostile bytes."""
    named: list[str] = []
    for module in MODULES:
        for name, value in vars(module).items():
            several = value if isinstance(value, tuple) else (value,)
            found = [one for one in several if isinstance(one, re.Pattern)]
            named += [f"{module.__name__}:{name}:{number}" for number in range(len(found))]
    return named


def _find_all(pattern: re.Pattern[bytes], data: bytes, size: int) -> int:
    return sum(1 for _ in pattern.finditer(data[:size]))


@pytest.mark.parametrize("named", _patterns())
def test_every_regular_expression_is_linear(named: str) -> None:
    module, name, number = named.split(":")
    [value] = [getattr(one, name) for one in MODULES if one.__name__ == module]
    pattern = value[int(number)] if isinstance(value, tuple) else value
    for piece in HOSTILE:
        data = piece * (SHORT * TIMES // len(piece))
        assert _is_linear(partial(_find_all, pattern, data)), piece


@pytest.mark.parametrize("piece", HOSTILE)
def test_searching_is_linear(piece: bytes) -> None:
    data = piece * (SHORT * TIMES // len(piece))

    def search(size: int) -> None:
        suspicions.has_script(data[:size], [data[:size]])
        suspicions.is_polyglot(data[:size], [data[:size]])

    assert _is_linear(search)


@pytest.mark.parametrize("piece", HOSTILE)
def test_reading_what_lies_behind_a_picture_is_linear(jpeg: bytes, piece: bytes) -> None:
    data = piece * (SHORT * TIMES // len(piece))
    parts = walker.walk(jpeg, LIMITS)
    assert _is_linear(lambda size: Tail.of(jpeg + data[:size] + b"x", parts))


def test_a_profile_in_many_pieces_is_put_together_in_one_go(
    jpeg: bytes, segment: Callable[..., bytes]
) -> None:
    piece = segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(200))

    def walk(size: int) -> None:
        walker.walk(jpeg[:2] + piece * (size // 40) + jpeg[2:], LIMITS)

    assert _is_linear(walk)


def test_more_pieces_than_any_picture_has_are_refused(
    jpeg: bytes, segment: Callable[..., bytes], refusal_of: Callable[..., str]
) -> None:
    data = jpeg[:2] + segment(0xE2, b"") * 47_000 + jpeg[2:]
    assert refusal_of(data, MediaType.JPEG) == "unreadable"


@pytest.fixture(scope="module")
def passes(saved: Callable[..., bytes]) -> Callable[[int], bytes]:
    """A picture of four million pixels with so many more passes over it, each of a few bytes."""
    data = saved(Pillow.new("L", (2_000, 2_000), 120), "JPEG", progressive=True, quality=30)
    last = data.rindex(b"\xff\xda")
    return lambda more: data[:-2] + data[last:-2] * more + data[-2:]


def test_passes_and_pixels_are_bounded_together(
    passes: Callable[[int], bytes], refusal_of: Callable[..., str]
) -> None:
    few = 200_000_000 // 4_000_000 - 6
    assert len(passes(85)) < 300_000
    assert refusal_of(passes(few), MediaType.JPEG) == ""
    assert refusal_of(passes(few + 1), MediaType.JPEG) == "too_many_scans"


def test_a_large_file_may_have_more_passes(passes: Callable[[int], bytes]) -> None:
    data = passes(80)
    comment = b"\xff\xfe\xff\xff" + bytes(65_533)
    assert walker.walk(data[:2] + comment * 12 + data[2:], LIMITS).complete
    with pytest.raises(Unacceptable, match="too_many_scans"):
        walker.walk(data, LIMITS)


def test_a_program_is_found_wherever_it_begins(
    png_with: Callable[..., bytes], signs_of: Callable[..., set[str]]
) -> None:
    program = b"MZP" * 1_300 + bytes(60) + b"PE\0\0"
    data = png_with(b"zTXt", b"Comment\0\0" + zlib.compress(program))
    assert "polyglot" in signs_of(data, MediaType.PNG)
