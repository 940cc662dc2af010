"""How many bytes the pixels of a PNG file are, and where their packed stream ends."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from inference.gate.decoder.parts import Span

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First column and row of each pass of an interlaced picture, and how far apart the next ones are.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_STEP_BYTES = 65_536


@dataclass(frozen=True)
class Header:
    """What the first chunk says."""

    width: int
    height: int
    pixel_bits: int
    is_interlaced: bool

    @classmethod
    def read(cls, content: bytes) -> "Header":
        """Read the 13 bytes of the chunk; unknown colours count as the largest."""
        width, height = int.from_bytes(content[:4]), int.from_bytes(content[4:8])
        return cls(width, height, content[8] * _CHANNELS.get(content[9], 4), content[12] == 1)

    def unpacked_bytes(self) -> int:
        """Size of all rows, each with the byte that names its filter."""
        if not self.is_interlaced:
            return self._rows(self.width, self.height)
        return sum(
            self._rows(-(-(self.width - left) // across), -(-(self.height - top) // down))
            for left, top, across, down in _PASSES
        )

    def _rows(self, width: int, height: int) -> int:
        return max(0, height) * (1 + -(-width * self.pixel_bits // 8)) if width > 0 else 0


def pixels_end(data: bytes, spans: Sequence[Span], header: Header) -> int:
    """Offset behind the last packed byte that any pixel needs.

    What lies behind it in the same chunks is no picture: readers stop there.
    """
    inflater, room = zlib.decompressobj(), header.unpacked_bytes()
    for start, end in spans:
        for place in range(start, end, _STEP_BYTES):
            step = data[place : min(place + _STEP_BYTES, end)]
            unused_bytes, room = _inflate(inflater, step, room)
            if unused_bytes is not None:
                return place + len(step) - unused_bytes
    return spans[-1][1] if spans else 0


def _inflate(inflater: "zlib._Decompress", step: bytes, room: int) -> tuple[int | None, int]:
    """Bytes of a step that nobody needs, where the stream ends in it; bytes still to come."""
    try:
        while True:
            content = inflater.decompress(step, _STEP_BYTES)
            room -= len(content)
            step = inflater.unconsumed_tail
            if inflater.eof:
                return len(inflater.unused_data), room
            if room < 0:
                return len(step), room
            if not step and len(content) < _STEP_BYTES:
                return None, room
    except zlib.error:
        return len(step), room
