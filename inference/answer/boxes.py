"""Outlines where findings are on a drawn picture."""

from collections.abc import Sequence

import cv2
import numpy as np

from detectors.findings import Place
from detectors.parsing import Image

_INK, _HALO = (212, 17, 89), (255, 255, 255)
_SIDE_PER_LINE = 320


def outline_places(picture: Image, places: Sequence[Place], height: int, width: int) -> Image:
    """A copy with a box around each place, the clearest one drawn last.

    Args:
        picture: RGB ``(h, w, 3)`` uint8, of whatever size.
        places: in pixels of the original picture.
        height, width: of the original picture.
    """
    copy = picture.copy()
    rows, columns = picture.shape[0] / height, picture.shape[1] / width
    line = max(1, round(max(picture.shape[:2]) / _SIDE_PER_LINE))
    for place in reversed(places):
        start = round(place.left * columns), round(place.top * rows)
        end = round(place.right * columns), round(place.bottom * rows)
        for colour, thickness in ((_HALO, 3 * line), (_INK, line)):
            cv2.rectangle(copy, start, end, colour, thickness)
    return np.asarray(copy, dtype=np.uint8)
