"""Walks the chunks of a WebP file (RFC 9649)."""

from collections.abc import Iterator

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts

_RIFF_HEADER_BYTES = 12
_KEY_FRAME = b"\x9d\x01\x2a"
_LOSSLESS = 0x2F
_PIXELS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM"}


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of a still or animated WebP.

    Raises:
        Unacceptable: it is shorter than it says, or there is too much of something.
    """
    stated = 8 + int.from_bytes(data[4:8], "little")
    # Some writers count the padding of the last chunk and leave it out.
    if stated > len(data) + 1:
        raise Unacceptable("truncated")
    parts = Parts(frames=0, end=min(stated, len(data)), complete=True)
    for kind, content in _chunks(data[: parts.end]):
        _note(parts, kind, content, limits)
    parts.frames = max(1, parts.frames)
    return parts


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = _RIFF_HEADER_BYTES
    for _ in range(MAX_PIECES + 1):
        if place + 8 > len(data):
            return
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    raise Unacceptable("unreadable")


def _note(parts: Parts, kind: bytes, content: bytes, limits: PictureLimits) -> None:
    if kind == b"ANMF":
        parts.frames += 1
    elif kind == b"ICCP":
        parts.add_profile(content, limits)
    elif kind not in _PIXELS:
        parts.add_metadata(content, limits)
    elif not parts.width:
        parts.width, parts.height = _size(kind, content)


def _size(kind: bytes, content: bytes) -> tuple[int, int]:
    """Width and height in the chunk that comes first and states them, else zeros."""
    if kind == b"VP8X" and len(content) >= 10:
        return (
            1 + int.from_bytes(content[4:7], "little"),
            1 + int.from_bytes(content[7:10], "little"),
        )
    if kind == b"VP8 " and content[3:6] == _KEY_FRAME:
        return (
            int.from_bytes(content[6:8], "little") & 0x3FFF,
            int.from_bytes(content[8:10], "little") & 0x3FFF,
        )
    if kind == b"VP8L" and content[:1] == bytes([_LOSSLESS]):
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return 0, 0
