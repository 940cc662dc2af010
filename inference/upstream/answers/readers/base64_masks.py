"""Masks as PNG in base64, which several kinds of answers have."""

import numpy as np
import numpy.typing as npt

from inference.upstream.answers.pictures.png_files import read_light
from inference.upstream.answers.texts.base64_text import decode_base64


def draw_base64(text: object, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where a PNG in base64 is light, ``(H, W)``.

    Raises:
        AnswerUnreadable: it is something else, or of another size.
    """
    return read_light(decode_base64(text), size)
