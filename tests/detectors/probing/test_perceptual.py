"""A perceptual hash that is made of samples alone is that of the whole smoothed picture."""

import cv2
import numpy as np
import pytest

from detectors.parsing import Image
from detectors.probing.hash_bits import BITS
from detectors.probing.perceptual import Grey, hash_grey, perceptual_hash, take_grey

_SIZES = ((5, 7), (63, 130), (129, 257), (832, 550), (1024, 1024))


def _draw_noise(height: int, width: int) -> Grey:
    rough = np.random.default_rng(5).integers(0, 256, (9, 9), dtype=np.uint8)
    smooth = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(6).integers(-9, 10, (height, width))
    grey: Grey = np.clip(smooth.astype(np.intp) + noise, 0, 255).astype(np.uint8)
    return grey


def _hash_plainly(grey: Grey) -> bytes:
    """Two box means of the whole plane, each over the picture's part of a window; 64 samples."""
    plane, ones = grey.astype(np.float32), np.ones(grey.shape, dtype=np.float32)
    window = [max(1, -(-side // 128)) for side in grey.shape[::-1]]
    share = cv2.blur(ones, window, borderType=cv2.BORDER_CONSTANT)
    for _ in range(2):
        plane = np.asarray(cv2.blur(plane, window, borderType=cv2.BORDER_CONSTANT) / share)
    rows, columns = (((np.arange(64) + 0.5) * side / 64).astype(np.intp) for side in grey.shape)
    frequencies = cv2.dct(np.ascontiguousarray(plane[np.ix_(rows, columns)]))[1:17, 1:17]
    return np.packbits(frequencies > np.median(frequencies)).tobytes()


@pytest.mark.parametrize(("height", "width"), _SIZES)
def test_a_hash_is_that_of_the_smoothed_picture(height: int, width: int) -> None:
    grey = _draw_noise(height, width)
    one, other = (int.from_bytes(bits) for bits in (hash_grey(grey).bits, _hash_plainly(grey)))
    # A frequency at the median may fall on either side of it.
    assert (one ^ other).bit_count() <= 2


@pytest.mark.parametrize("scale", [1.5, 3.0])
def test_a_large_picture_is_looked_at_smaller(scene: Image, scale: float) -> None:
    side = round(1000 * scale)
    large = np.asarray(cv2.resize(scene, (side, side)), dtype=np.uint8)
    assert take_grey(large).shape == (1024, 1024)
    small = np.asarray(cv2.resize(scene, (1000, 1000)), dtype=np.uint8)
    assert perceptual_hash(large).distance(perceptual_hash(small)) <= BITS / 32
