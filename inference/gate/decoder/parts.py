"""What the walkers of all file types report, and how they read."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from inference.gate.decoder.limits import PictureLimits, Unacceptable

# More pieces than this have no use but to keep a walker busy.
MAX_PIECES = 20_000
_ZLIB_HEADER_BYTES, _RAW = 2, -15
_STEP_BYTES = 4_096

Span = tuple[int, int]


@dataclass
class Parts:
    """The parts of a picture file, collected while walking through it.

    Only spans of pixels are named: all other bytes of the file are text to be searched, whatever a
    walker thought that they were.

    Attributes:
        width: pixels, as the header states them; 0 until it was met.
        height: likewise.
        frames: pictures in the file.
        end: offset behind the last byte that belongs to the picture.
        complete: whether its end was met.
        first_end: the same of the first picture alone, where others may follow.
        lacks_passes: whether a picture without an end lacks whole passes over it.
        pixels: spans of compressed pixels and films, as good as random, in the order of the file.
        unpacked_texts: texts that cannot be read as they stand in the file: packed, or in pieces.
        profile: colour profile, unpacked.
        metadata_bytes: of everything that is neither pixels nor profile, unpacked.
        unpacked_bytes: of what had to be unpacked for that.
        left_out: spans of pieces with a wrong checksum, which no reader should use.
    """

    width: int = 0
    height: int = 0
    frames: int = 1
    end: int = 0
    complete: bool = False
    first_end: int = 0
    lacks_passes: bool = False
    pixels: list[Span] = field(default_factory=list)
    unpacked_texts: list[bytes] = field(default_factory=list)
    profile: bytearray = field(default_factory=bytearray)
    metadata_bytes: int = 0
    unpacked_bytes: int = 0
    left_out: list[Span] = field(default_factory=list)

    def count_metadata(self, length: int, limits: PictureLimits) -> None:
        """Count the bytes of a piece.

        Raises:
            Unacceptable: all pieces together are too large.
        """
        self.metadata_bytes += length
        if self.metadata_bytes > limits.max_metadata_bytes:
            raise Unacceptable("metadata_too_large")

    def add_unpacked(self, text: bytes, limits: PictureLimits) -> None:
        """Keep a text that does not stand in the file as it is read.

        Raises:
            Unacceptable: all pieces together are too large.
        """
        self.unpacked_texts.append(text)
        self.unpacked_bytes += len(text)
        self.count_metadata(len(text), limits)
        if self.unpacked_bytes > limits.max_unpacked_bytes:
            raise Unacceptable("metadata_too_large")

    def may_unpack(self, limits: PictureLimits) -> int:
        """How many bytes of text may still be unpacked."""
        room = limits.max_metadata_bytes - self.metadata_bytes
        return max(0, min(room, limits.max_unpacked_bytes - self.unpacked_bytes))

    def add_profile(self, piece: bytes, limits: PictureLimits) -> None:
        """Keep a piece of the colour profile.

        Raises:
            Unacceptable: it is too large.
        """
        self.profile += piece
        if len(self.profile) > limits.max_profile_bytes:
            raise Unacceptable("profile_too_large")

    def texts(self, data: bytes) -> Iterator[bytes]:
        """Everything in a file that is no pixels, as it stands there and unpacked."""
        place = 0
        for start, end in (*self.pixels, (len(data), len(data))):
            if start > place:
                yield data[place:start]
            place = max(place, end)
        yield from self.unpacked_texts
        yield bytes(self.profile)

    def without_damage(self, data: bytes) -> bytes:
        """The file without the pieces that no reader should use."""
        if not self.left_out:
            return data
        cuts = (0, *(place for span in self.left_out for place in span), len(data))
        return b"".join(data[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=True))


def unpack(stream: bytes, most: int) -> bytes:
    """Inflate a zlib stream, up to one byte more than ``most``.

    A wrong checksum or a damaged end does not matter: whatever could be read of it counts, since
    other readers may be as tolerant.
    """
    inflater = zlib.decompressobj(_RAW)
    content = bytearray()
    for place in range(_ZLIB_HEADER_BYTES, len(stream), _STEP_BYTES):
        try:
            content += inflater.decompress(
                stream[place : place + _STEP_BYTES], most + 1 - len(content)
            )
        except zlib.error:
            break
        if inflater.eof or len(content) > most:
            break
    return bytes(content)
