"""Pictures as a network wants to see them."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from detectors.parsing import Image
from inference.segmenters.described.description import InputForm

# A huge picture is averaged to about this many times the size first, which is quicker.
_REDUCING_GAP = 3.0
_BRIGHTEST = 255


def prepare_picture(image: Image, form: InputForm, scale: float = 1.0) -> npt.NDArray[Any]:
    """One picture ``(H, W, 3)`` uint8 RGB as a batch ``(1, 3, h, w)`` or ``(1, h, w, 3)``."""
    height, width = image.shape[:2]
    size = choose_size(width, height, form, scale)
    picture = Pillow.fromarray(image).resize(
        size, Pillow.Resampling.BILINEAR, reducing_gap=_REDUCING_GAP
    )
    pixels = np.asarray(picture)
    if form.colours == "bgr":
        pixels = pixels[..., ::-1]
    values = _normalise(pixels, form)
    return np.ascontiguousarray(
        (values.transpose(2, 0, 1) if form.layout == "nchw" else values)[None]
    )


def choose_size(width: int, height: int, form: InputForm, scale: float = 1.0) -> tuple[int, int]:
    """Width and height that the network sees.

    A network of one size sees every look at that size, whatever ``scale`` asks for.
    """
    if form.long_side is None:
        return form.size or (width, height)
    zoom = form.long_side * scale / max(width, height)
    return _fit_side(width * zoom, form), _fit_side(height * zoom, form)


def _fit_side(side: float, form: InputForm) -> int:
    return max(1, round((side - form.offset) / form.stride)) * form.stride + form.offset


def _normalise(pixels: Image, form: InputForm) -> npt.NDArray[Any]:
    if form.type == "uint8":
        return pixels
    factor = np.float32(form.white / _BRIGHTEST) / np.asarray(form.deviation, dtype=np.float32)
    shift = np.asarray(form.mean, dtype=np.float32) / np.asarray(form.deviation, dtype=np.float32)
    return np.asarray(pixels * factor - shift, dtype=form.type)
