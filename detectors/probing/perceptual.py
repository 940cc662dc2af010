"""The coarse fingerprint: a 256-bit perceptual hash with a quality.

After the published description of PDQ (Meta, The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm, 2019): luminance, two passes of a box filter, 64 by 64 samples, the lowest
16 by 16 frequencies of their cosine transform without the constant ones, and whether each of them
is above their median. Not bit-compatible with other implementations.
"""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image
from detectors.probing.hash_bits import PerceptualHash

_SIDE, _FREQUENCIES, _PASSES = 64, 16, 2
_WORKING_SIDE = 512
_Plane = npt.NDArray[np.float32]


def perceptual_hash(image: Image) -> PerceptualHash:
    """Hash a picture ``(H, W, 3)`` uint8."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = (min(_WORKING_SIDE, side) for side in grey.shape)
    grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    small = _sample(_smooth(grey.astype(np.float32)))
    # Row 0 and column 0 carry brightness alone.
    frequencies = cv2.dct(small)[1 : _FREQUENCIES + 1, 1 : _FREQUENCIES + 1]
    above = frequencies > np.median(frequencies)
    return PerceptualHash(np.packbits(above).tobytes(), _quality(small))


def _smooth(plane: _Plane) -> _Plane:
    """Box means over the picture's part of each window, twice."""
    share = _window_shares(plane.shape[0], plane.shape[1])
    for _ in range(_PASSES):
        plane = _window_means(plane) / share
    return plane


# Large pictures are all brought to one size.
@lru_cache(maxsize=4)
def _window_shares(height: int, width: int) -> _Plane:
    """Share of each window that lies inside a picture of this size ``(height, width)``."""
    return _window_means(np.ones((height, width), dtype=np.float32))


def _window_means(plane: _Plane) -> _Plane:
    """Box means with nothing around the picture; a window is as wide as half a sample."""
    width, height = (max(1, -(-side // (2 * _SIDE))) for side in plane.shape[::-1])
    means = cv2.blur(plane, (width, height), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(means, dtype=np.float32)


def _sample(plane: _Plane) -> _Plane:
    rows, columns = (
        ((np.arange(_SIDE) + 0.5) * side / _SIDE).astype(np.intp) for side in plane.shape
    )
    return np.ascontiguousarray(plane[np.ix_(rows, columns)])


def _quality(small: _Plane) -> int:
    """Steps between neighbouring samples of more than 1 % of the range, over 90, capped."""
    steps = [np.diff(small, axis=axis) * (100 / 255) for axis in (0, 1)]
    total = sum(int(np.abs(np.trunc(step)).sum()) for step in steps)
    return min(100, total // 90)
