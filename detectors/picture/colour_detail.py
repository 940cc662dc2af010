"""Where colours are printed and not photographed: many fine ones, in all directions, in one place.

Cameras and JPEG keep brightness finer than colour, so a square of saturated noise, as adversarial
patches are (Brown et al., 2017), has several times the colour detail of anything photographed. One
of coarse cells has less, but as many colours: what is photographed in one place has shades of one
colour, or of two, which lie along a line in the plane of Cr and Cb. A grey patch shows neither way.
"""

from collections.abc import Sequence
from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

from detectors.findings import Place
from detectors.parsing import Image
from detectors.sizes import scaled_size

_PIXELS = 480_000
_TILE_SIDE = 24
_BLUR_SIGMA = 2.0
_SPREAD_PIXELS, _WINDOW_SHARE = 120_000, 0.006


def colour_detail_tile(image: Image) -> float:
    """Largest mean change of a tile's two colour channels under a blur, in levels.

    >>> colour_detail_tile(np.full((64, 64, 3), 90, np.uint8))
    0.0
    """
    return float(_tiles(image).max())


def colour_spread_window(image: Image) -> float:
    """Widest spread of colours in a window of 0.6 % of the picture, in levels.

    It is the standard deviation of Cr and Cb in the direction in which they vary least: the root of
    the smaller eigenvalue of their covariance. Box filters give it for every window at once.

    >>> colour_spread_window(np.full((64, 64, 3), 90, np.uint8))
    0.0
    """
    _, red, blue = (
        np.asarray(each, dtype=np.float32) - 128 for each in _planes(image, _SPREAD_PIXELS)
    )
    side = max(3, round(sqrt(red.size * _WINDOW_SHARE)))
    pairs = ((red, red), (blue, blue), (red, blue))
    reds, blues, both = (_covariance(*pair, side) for pair in pairs)
    least = (reds + blues) / 2 - np.sqrt(((reds - blues) / 2) ** 2 + both**2)
    return sqrt(max(0.0, float(least.max())))


def colour_detail_place(image: Image) -> Place:
    """The tile that :func:`colour_detail_tile` speaks of, in pixels of the picture."""
    tiles = _tiles(image)
    row, column = np.unravel_index(int(np.argmax(tiles)), tiles.shape)
    high, wide = image.shape[0] / tiles.shape[0], image.shape[1] / tiles.shape[1]
    return Place(
        left=round(column * wide),
        top=round(row * high),
        right=round((column + 1) * wide),
        bottom=round((row + 1) * high),
    )


def _tiles(image: Image) -> npt.NDArray[np.float32]:
    """Mean absolute high-pass energy of Cr and Cb, one value a tile, at a bounded size."""
    _, red, blue = _planes(image, _PIXELS)
    rows, columns = (max(1, side // _TILE_SIDE) for side in red.shape)
    energy = cv2.add(_detail(red), _detail(blue), dtype=cv2.CV_32F)
    tiles = cv2.resize(energy, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(tiles, dtype=np.float32)


def _planes(image: Image, pixels: int) -> Sequence[MatLike]:
    """Y, Cr and Cb at no more pixels than that."""
    scale = sqrt(pixels / (image.shape[0] * image.shape[1]))
    if scale < 1:
        size = scaled_size(image.shape[0], image.shape[1], scale)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))


def _covariance(first: MatLike, second: MatLike, side: int) -> npt.NDArray[np.float32]:
    """Within each window of this side."""
    means = [
        cv2.boxFilter(each, -1, (side, side), borderType=cv2.BORDER_REFLECT)
        for each in (first * second, first, second)
    ]
    return np.asarray(means[0] - means[1] * means[2], dtype=np.float32)


def _detail(plane: MatLike) -> MatLike:
    """What a blur takes away; plane by plane it is five times faster than for all at once."""
    return cv2.absdiff(plane, cv2.GaussianBlur(plane, (0, 0), _BLUR_SIGMA))
