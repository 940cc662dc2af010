"""What the walkers of all file types report, and how they read."""

import zlib
from dataclasses import dataclass, field

from inference.gate.decoder.limits import PictureLimits, Unacceptable

# More pieces than this have no use but to keep a walker busy.
MAX_PIECES = 100_000
_ZLIB_HEADER_BYTES, _RAW = 2, -15
_STEP_BYTES = 4_096


@dataclass
class Parts:
    """The parts of a picture file, collected while walking through it.

    Attributes:
        width: pixels, as the header states them; 0 until it was met.
        height: likewise.
        frames: pictures in the file.
        end: offset behind the last byte that belongs to the picture.
        complete: whether its end was met.
        metadata: unpacked content of every piece that is not made of pixels: Exif, XMP, comments,
            tables, pieces that nobody knows.
        profile: colour profile, unpacked.
    """

    width: int = 0
    height: int = 0
    frames: int = 1
    end: int = 0
    complete: bool = False
    metadata: list[bytes] = field(default_factory=list)
    profile: bytes = b""
    metadata_bytes: int = 0

    def add_metadata(self, blob: bytes, limits: PictureLimits) -> None:
        """Keep a piece.

        Raises:
            Unacceptable: all pieces together are too large.
        """
        self.metadata.append(blob)
        self.metadata_bytes += len(blob)
        if self.metadata_bytes > limits.max_metadata_bytes:
            raise Unacceptable("metadata_too_large")

    def add_profile(self, blob: bytes, limits: PictureLimits) -> None:
        """Keep a piece of the colour profile.

        Raises:
            Unacceptable: it is too large.
        """
        self.profile += blob
        if len(self.profile) > limits.max_profile_bytes:
            raise Unacceptable("profile_too_large")


def unpack(packed: bytes, most: int) -> bytes:
    """Inflate a zlib stream, up to one byte more than ``most``.

    A wrong checksum or a damaged end does not matter: whatever could be read of it counts, since
    other readers may be as tolerant.
    """
    inflater = zlib.decompressobj(_RAW)
    content = bytearray()
    for place in range(_ZLIB_HEADER_BYTES, len(packed), _STEP_BYTES):
        try:
            content += inflater.decompress(
                packed[place : place + _STEP_BYTES], most + 1 - len(content)
            )
        except zlib.error:
            break
        if inflater.eof or len(content) > most:
            break
    return bytes(content)
