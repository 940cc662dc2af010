"""Decodes a JPEG that breaks off, and finds out how much of the picture is missing.

Where data end, a decoder goes on with zeros. Where it decodes something else, if something else
stands there, the missing part begins: it goes on to the last row. How far that something reaches
says nothing, since a decoder drops it at the next restart mark.
"""

from PIL import Image as Pillow
from PIL import ImageChops

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.pixels import Pixels, decode
from inference.gate.media import MediaType

_END, _HALF_MARKER = b"\xff\xd9", b"\xff"
_SOMETHING_ELSE = b"\x5a\xc3\x17\x96" * 64
# How much may be missing: a tenth of the picture, or a row of blocks, which is decoded as a whole.
_MAX_MISSING_SHARE = 0.1
_BLOCK_SIDE = 16


def decode_without_end(data: bytes, limits: PictureLimits) -> Pixels:
    """The picture, if most of it is there.

    Raises:
        Unacceptable: there is no picture, or too much of it is missing.
        MemoryError: it takes more memory than the process may have.
    """
    # The first half of a marker is no marker, but would make one of what is put behind it.
    data = data.rstrip(_HALF_MARKER)
    pixels = decode(data + _END, MediaType.JPEG, limits)
    other = decode(data + _SOMETHING_ELSE + _END, MediaType.JPEG, limits)
    difference = ImageChops.difference(pixels.picture, other.picture)
    if _misses_much(pixels.turn_back(difference)):
        raise Unacceptable("truncated")
    return pixels


def _misses_much(difference: Pillow.Image) -> bool:
    """Judges a difference whose rows stand as they do in the file."""
    box = difference.getbbox()
    missing = difference.height - box[1] if box else 0
    return missing > _MAX_MISSING_SHARE * difference.height and missing > _BLOCK_SIDE
