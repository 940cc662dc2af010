"""What the walkers of all file types report, and how they read."""

import zlib
from dataclasses import dataclass, field

from inference.gate.decoder.limits import Unacceptable


@dataclass
class Parts:
    """The parts of a picture file, collected while walking through it.

    Attributes:
        width: pixels, as the header states them; 0 until it was met.
        height: likewise.
        frames: pictures in the file.
        end: offset behind the last byte that belongs to the picture.
        complete: whether its end was met.
        metadata: Exif, XMP, comments and other text, unpacked.
        profile_bytes: size of the colour profile, unpacked.
    """

    width: int = 0
    height: int = 0
    frames: int = 1
    end: int = 0
    complete: bool = False
    metadata: list[bytes] = field(default_factory=list)
    profile_bytes: int = 0


def unpack(packed: bytes, most: int, code: str) -> bytes:
    """Inflate a zlib stream, but never more than allowed.

    Returns:
        What could be read of it; a damaged stream is the decoder's business.

    Raises:
        Unacceptable: ``code``, because it is larger than ``most`` bytes.
    """
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(packed, most + 1)
    except zlib.error:
        return b""
    if len(content) > most:
        raise Unacceptable(code)
    return content
