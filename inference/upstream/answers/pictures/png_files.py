"""PNG files of an answer, decoded only if they have the picture's size."""

import struct
import zlib
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngImageFile

from detectors.parsing import Image, LabelMap
from inference.upstream.answers.errors import AnswerUnreadable

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_BYTES = 24
_END = b"\0\0\0\0IEND\xaeB`\x82"
_LIGHT = 128


def read_labels(data: bytes, size: tuple[int, int]) -> LabelMap:
    """The pixel values ``(H, W)`` of a PNG with one value a pixel.

    Raises:
        AnswerUnreadable: it is something else, of another size or broken.
    """
    picture = _open_png(data, size)
    if picture.mode not in ("L", "P", "1"):
        raise AnswerUnreadable("The answer is a picture in colours, and not one of label numbers.")
    return np.array(picture, dtype=np.uint8)


def read_colours(data: bytes, size: tuple[int, int]) -> Image:
    """The colours ``(H, W, 3)`` of a PNG.

    Raises:
        AnswerUnreadable: it is something else, of another size or broken.
    """
    return np.array(_open_png(data, size).convert("RGB"), dtype=np.uint8)


def read_light(data: bytes, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where a PNG ``(H, W)`` is light.

    Raises:
        AnswerUnreadable: it is something else, of another size or broken.
    """
    picture = _open_png(data, size)
    return np.asarray(np.asarray(picture.convert("L")) >= _LIGHT)


def read_alpha(data: bytes, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where a PNG ``(H, W)`` is opaque rather than transparent.

    Raises:
        AnswerUnreadable: it is something else, of another size, without alpha or broken.
    """
    picture = _open_png(data, size)
    if "A" not in picture.getbands():
        raise AnswerUnreadable("The answer has a mask without an alpha channel.")
    return np.asarray(np.asarray(picture.getchannel("A")) >= _LIGHT)


def _open_png(data: bytes, size: tuple[int, int]) -> Pillow.Image:
    """A decoded PNG; its size is compared before anything is unpacked."""
    if data[:8] != _SIGNATURE or len(data) < _HEADER_BYTES:
        raise AnswerUnreadable("The answer has something else where a PNG belongs.")
    if _END not in data:
        raise AnswerUnreadable("The answer has a PNG that is cut off.")
    _check_size(struct.unpack(">II", data[16:_HEADER_BYTES]), size)
    try:
        picture = PngImageFile(BytesIO(data))
        # A second header may say something else.
        _check_size(picture.size, size)
        picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error):
        raise AnswerUnreadable("The answer has a PNG that is broken.") from None
    return picture


def _check_size(width_height: tuple[int, ...], size: tuple[int, int]) -> None:
    if width_height != size[::-1]:
        raise AnswerUnreadable("The answer has a picture that is not of the upload's size.")
