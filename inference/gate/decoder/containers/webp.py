"""Walks the chunks of a WebP file (RFC 9649)."""

from collections.abc import Iterator
from dataclasses import dataclass

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts

_RIFF_HEADER_BYTES, _FRAME_HEADER_BYTES = 12, 16
_KEY_FRAME = b"\x9d\x01\x2a"
_LOSSLESS_FIRST_BYTE = b"\x2f"
_LOSSY, _LOSSLESS, _TRANSPARENCY = b"VP8 ", b"VP8L", b"ALPH"
_COLOURS = {_LOSSY, _LOSSLESS}


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    content: bytes
    start: int


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of a still or animated WebP.

    Raises:
        Unacceptable: it is shorter than it says, or there is too much of something.
    """
    stated_end = 8 + int.from_bytes(data[4:8], "little")
    # Some writers count the padding of the last chunk and leave it out.
    if stated_end > len(data) + 1:
        raise Unacceptable("truncated")
    parts = Parts(frames=0, end=min(stated_end, len(data)), complete=True)
    chunks = list(_chunks(data, _RIFF_HEADER_BYTES, parts.end))
    for chunk in chunks:
        _note(parts, chunk, limits)
    _note_pixels(parts, chunks)
    for chunk in chunks:
        if chunk.kind == b"ANMF":
            _note_pixels(parts, _inside(data, chunk))
    parts.frames = max(1, parts.frames)
    parts.pixels.sort()
    return parts


def _inside(data: bytes, frame: _Chunk) -> list[_Chunk]:
    end = frame.start + len(frame.content)
    return list(_chunks(data, frame.start + _FRAME_HEADER_BYTES, end))


def _chunks(data: bytes, start: int, end: int) -> Iterator[_Chunk]:
    place = start
    for _ in range(MAX_PIECES + 1):
        if place + 8 > end:
            return
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        content = data[place + 8 : min(place + 8 + length, end)]
        yield _Chunk(data[place : place + 4], content, place + 8)
        place += 8 + length + length % 2
    raise Unacceptable("unreadable")


def _note(parts: Parts, chunk: _Chunk, limits: PictureLimits) -> None:
    kind, content = chunk.kind, chunk.content
    if kind == b"ANMF":
        parts.frames += 1
    elif kind == b"ICCP":
        parts.add_profile(content, limits)
    elif kind not in {*_COLOURS, _TRANSPARENCY}:
        parts.count_metadata(len(content), limits)
    if not parts.width:
        parts.width, parts.height = _size(kind, content)


def _note_pixels(parts: Parts, chunks: list[_Chunk]) -> None:
    """The first colours, and the first transparency before lossy ones: others nobody reads."""
    kinds = [chunk.kind for chunk in chunks]
    colours = next((n for n, kind in enumerate(kinds) if kind in _COLOURS), None)
    if colours is None:
        return
    pixels = [chunks[colours]]
    if kinds[colours] == _LOSSY and _TRANSPARENCY in kinds[:colours]:
        pixels.append(chunks[kinds.index(_TRANSPARENCY)])
    parts.pixels += [(chunk.start, chunk.start + len(chunk.content)) for chunk in pixels]


def _size(kind: bytes, content: bytes) -> tuple[int, int]:
    """Width and height in the chunk that comes first and states them, else zeros."""
    if kind == b"VP8X" and len(content) >= 10:
        return (
            1 + int.from_bytes(content[4:7], "little"),
            1 + int.from_bytes(content[7:10], "little"),
        )
    if kind == _LOSSY and content[3:6] == _KEY_FRAME:
        return (
            int.from_bytes(content[6:8], "little") & 0x3FFF,
            int.from_bytes(content[8:10], "little") & 0x3FFF,
        )
    if kind == _LOSSLESS and content[:1] == _LOSSLESS_FIRST_BYTE:
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return 0, 0
