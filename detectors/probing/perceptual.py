"""The coarse fingerprint: a 256-bit perceptual hash with a quality.

After the published description of PDQ (Meta, The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm, 2019): luminance, two passes of a box filter, 64 by 64 samples, the lowest
16 by 16 frequencies of their cosine transform without the constant ones, and whether each of them
is above their median. Not bit-compatible with other implementations.
"""

from functools import lru_cache
from math import ceil

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image
from detectors.probing.hash_bits import PerceptualHash

_SIDE, _FREQUENCIES = 64, 16
_MAX_SIDE = 1024
Grey = npt.NDArray[np.uint8]
_Plane = npt.NDArray[np.float32]


def perceptual_hash(image: Image) -> PerceptualHash:
    """Hash a picture ``(H, W, 3)`` uint8."""
    return hash_grey(take_grey(image))


def take_grey(image: Image) -> Grey:
    """Luminance of a picture ``(H, W, 3)`` uint8; of each side at most 1024 pixels are left."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = (min(_MAX_SIDE, side) for side in grey.shape)
    if grey.shape != (height, width):
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(grey, dtype=np.uint8)


def hash_grey(grey: Grey) -> PerceptualHash:
    """Hash the luminance of a picture, as :func:`take_grey` gives it."""
    small = _sample(grey)
    # Row 0 and column 0 carry brightness alone.
    frequencies = cv2.dct(small)[1 : _FREQUENCIES + 1, 1 : _FREQUENCIES + 1]
    above = frequencies > np.median(frequencies)
    return PerceptualHash(np.packbits(above).tobytes(), _quality(small))


def _sample(grey: Grey) -> _Plane:
    """64 by 64 samples of the twice smoothed picture: no other pixel of that is asked for."""
    rows, row_weights = _weigh_cells(grey.shape[0])
    columns, column_weights = _weigh_cells(grey.shape[1])
    lines = row_weights[:, None] @ grey[rows].astype(np.float32)
    small = lines[:, 0, columns.ravel()].reshape(_SIDE, *columns.shape)
    return np.ascontiguousarray(np.einsum("rck,ck->rc", small, column_weights))


@lru_cache(maxsize=64)
def _weigh_cells(length: int) -> tuple[npt.NDArray[np.intp], _Plane]:
    """Which pixels of a side make each sample, and what each of them counts: ``(64, k)`` both.

    Two box means, each as wide as half a cell, weigh a cell by a triangle that is highest in its
    middle. Cells and triangles may end within pixels, so that another size moves nothing.
    """
    half = length / (2 * _SIDE)
    starts = 2 * half * np.arange(_SIDE)
    pixels = starts.astype(np.intp)[:, None] + np.arange(ceil(2 * half) + 1)
    left, right = (np.clip((pixels + edge - starts[:, None]) / half - 1, -1, 1) for edge in (0, 1))
    weights = _area_of_triangle(right) - _area_of_triangle(left)
    return np.minimum(pixels, length - 1), weights.astype(np.float32)


def _area_of_triangle(until: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of a triangle over -1 to 1 with the area 1, the part that lies left of a place."""
    area: npt.NDArray[np.float64] = 0.5 + until - 0.5 * until * np.abs(until)
    return area


def _quality(small: _Plane) -> int:
    """Steps between neighbouring samples of more than 1 % of the range, over 90, capped."""
    steps = [np.diff(small, axis=axis) * (100 / 255) for axis in (0, 1)]
    total = sum(int(np.abs(np.trunc(step)).sum()) for step in steps)
    return min(100, total // 90)
