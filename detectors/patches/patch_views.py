"""How a patch looks in other pictures: larger, smaller, a little turned."""

from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image

Pixels = npt.NDArray[np.float32]
"""RGB as it is correlated: OpenCV would turn bytes into floats once for each pair."""

_TURNS = (-14.0, -7.0, 0.0, 7.0, 14.0)


def side_of(image: Image) -> float:
    """Side of a square with a picture's area, in pixels."""
    return sqrt(image.shape[0] * image.shape[1])


def resize_square(pixels: Image, side: int) -> Image:
    """A square picture at another side."""
    return cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.uint8)


def turn_picture(pixels: Image) -> tuple[Image, ...]:
    """A square picture turned a little to either side, and as it is; cloth hangs."""
    side = pixels.shape[0]
    middle = side / 2 - 0.5, side / 2 - 0.5
    turns = (cv2.getRotationMatrix2D(middle, degrees, 1.0) for degrees in _TURNS)
    return tuple(
        cv2.warpAffine(pixels, turn, (side, side), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
        for turn in turns
    )
