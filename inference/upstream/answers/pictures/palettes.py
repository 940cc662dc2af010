"""From colours back to labels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.parsing import Image, LabelMap
from inference.upstream.answers.errors import AnswerUnreadable

_NO_LABEL = 255
_STRIPE_PIXELS = 1 << 20

Cube = npt.NDArray[np.uint8]


def match_colours(
    picture: Image, palette: Sequence[tuple[int, int, int]], tolerance: int
) -> LabelMap:
    """The label ``(H, W)`` of each pixel of an RGB picture ``(H, W, 3)``.

    Raises:
        AnswerUnreadable: a pixel has the colour of no label.
    """
    cube = _fill_cube(palette, tolerance)
    height, width = picture.shape[:2]
    label_map = np.empty((height, width), dtype=np.uint8)
    rows = max(1, _STRIPE_PIXELS // width)
    for top in range(0, height, rows):
        red, green, blue = np.moveaxis(picture[top : top + rows], -1, 0)
        label_map[top : top + rows] = cube[red, green, blue]
    if (label_map == _NO_LABEL).any():
        raise AnswerUnreadable("The answer has a colour that is not in the preset's palette.")
    return label_map


def _fill_cube(palette: Sequence[tuple[int, int, int]], tolerance: int) -> Cube:
    """The label of every colour ``(256, 256, 256)``."""
    cube = np.full((256, 256, 256), _NO_LABEL, dtype=np.uint8)
    for label, colour in enumerate(palette):
        cube[tuple(slice(max(0, v - tolerance), v + tolerance + 1) for v in colour)] = label
    return cube
