"""Decodes a JPEG that breaks off, and finds out how much of the picture is missing.

Where data end, a decoder goes on with zeros. What it decodes to something else, if something else
stands there, is missing.
"""

from PIL import Image as Pillow
from PIL import ImageChops

from inference.gate.decoder.limits import PictureLimits, Unacceptable
from inference.gate.decoder.pixels import Pixels, decode
from inference.gate.media import MediaType

_END = b"\xff\xd9"
_SOMETHING_ELSE = b"\x5a\xc3\x17\x96" * 64
# Enough of it to reach over more than may be missing.
_REPEAT_PER_BYTE = 1 / (4 * len(_SOMETHING_ELSE))
# How much may be missing: a tenth of the picture, or a row of blocks, which is decoded as a whole.
_MAX_MISSING_SHARE = 0.1
_BLOCK_SIDE = 16


def decode_without_end(data: bytes, limits: PictureLimits) -> Pixels:
    """The picture, if most of it is there.

    Raises:
        Unacceptable: there is no picture, or too much of it is missing.
        MemoryError: it takes more memory than the process may have.
    """
    pixels = decode(data + _END, MediaType.JPEG, limits)
    other_end = _SOMETHING_ELSE * (1 + int(len(data) * _REPEAT_PER_BYTE)) + _END
    other = decode(data + other_end, MediaType.JPEG, limits)
    if _misses_much(ImageChops.difference(pixels.picture, other.picture)):
        raise Unacceptable("truncated")
    return pixels


def _misses_much(difference: Pillow.Image) -> bool:
    left, top, right, bottom = difference.getbbox() or (0, 0, 0, 0)
    width, height = right - left, bottom - top
    share = width * height / (difference.width * difference.height)
    return share > _MAX_MISSING_SHARE and min(width, height) > _BLOCK_SIDE
