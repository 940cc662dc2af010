"""Walks the boxes of an AVIF file (ISO/IEC 14496-12, ISO/IEC 23008-12)."""

from collections.abc import Iterator
from dataclasses import dataclass

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.parts import MAX_PIECES, Parts, Span

_HEAD_BYTES, _LONG_HEAD_BYTES, _FULL_BYTES = 8, 16, 4
_MAX_ITEM_PIECES = 4_096
_PIXELS, _FILM = {b"av01"}, b"mpvd"


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    end: int


def walk(data: bytes, limits: PictureLimits) -> Parts:
    """The parts of a picture in boxes; its size is left to the decoder, which reads it first.

    Only items that are named as coded pixels count as such: a directory that cannot be read hides
    nothing.

    Raises:
        Unacceptable: there is too much of something.
    """
    parts = Parts(complete=True)
    for box in _boxes(data, 0, len(data)):
        parts.end = box.end
        if box.kind == b"meta":
            parts.pixels += _find_pixels(data, box)
        elif box.kind == _FILM:
            parts.pixels.append((box.start, box.end))
    parts.pixels.sort()
    pixel_bytes = sum(end - start for start, end in parts.pixels)
    parts.count_metadata(max(0, parts.end - pixel_bytes), limits)
    return parts


def _boxes(data: bytes, start: int, end: int) -> Iterator[_Box]:
    place = start
    for _ in range(MAX_PIECES):
        kind, size, head = data[place + 4 : place + 8], _number(data, place, 4), _HEAD_BYTES
        if place + _HEAD_BYTES > end or not (kind.isascii() and kind.decode().isprintable()):
            return
        if size == 1:
            size, head = _number(data, place + 8, 8), _LONG_HEAD_BYTES
        size = size or end - place
        # One that goes on behind the end lies behind the picture, or the decoder refuses it.
        if size < head or place + size > end:
            return
        yield _Box(kind, place + head, place + size)
        place += size
    raise Unacceptable("unreadable")


def _find_pixels(data: bytes, meta: _Box) -> list[Span]:
    """Where the items lie that are coded pixels."""
    inside = {box.kind: box for box in _boxes(data, meta.start + _FULL_BYTES, meta.end)}
    if b"iinf" not in inside or b"iloc" not in inside:
        return []
    kinds = _kinds(data, inside[b"iinf"])
    places = _places(data, inside[b"iloc"])
    return [
        (start, end)
        for item, start, end in places
        if kinds.get(item) in _PIXELS and meta.end <= start < end <= len(data)
    ]


def _kinds(data: bytes, box: _Box) -> dict[int, bytes]:
    """The kind of each item, by its number."""
    count_bytes = 4 if data[box.start] else 2
    kinds = {}
    for entry in _boxes(data, box.start + _FULL_BYTES + count_bytes, box.end):
        wide = 4 if data[entry.start : entry.start + 1] == b"\3" else 2
        number = entry.start + _FULL_BYTES
        kinds[_number(data, number, wide)] = data[number + wide + 2 : number + wide + 6]
    return kinds


def _places(data: bytes, box: _Box) -> Iterator[tuple[int, int, int]]:
    """Number, start and end of each piece of each item that lies in the file itself."""
    reader = _Reader(data, box.start, box.end)
    version, _, sizes, more = reader.read(1), reader.read(3), reader.read(1), reader.read(1)
    wide, pieces = 4 if version == 2 else 2, 0
    for _ in range(min(reader.read(wide), _MAX_ITEM_PIECES)):
        item = reader.read(wide)
        method = reader.read(2) & 15 if version else 0
        reader.read(2)
        base = reader.read(more >> 4)
        for _ in range(reader.read(2)):
            pieces += 1
            reader.read(more & 15 if version else 0)
            start, length = base + reader.read(sizes >> 4), reader.read(sizes & 15)
            if method == 0 and not reader.is_behind():
                yield item, start, start + length
            if reader.is_behind() or pieces > _MAX_ITEM_PIECES:
                return


class _Reader:
    """Reads numbers one after the other; behind the end they are 0."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._place, self._end = data, start, end

    def read(self, size: int) -> int:
        """The next number, of so many bytes."""
        self._place += size
        return 0 if self.is_behind() else _number(self._data, self._place - size, size)

    def is_behind(self) -> bool:
        """Whether more was read than there is."""
        return self._place > self._end


def _number(data: bytes, place: int, size: int) -> int:
    return int.from_bytes(data[place : place + size])
