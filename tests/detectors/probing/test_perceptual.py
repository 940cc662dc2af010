"""A perceptual hash that is made of samples alone is that of the whole smoothed picture."""

import cv2
import numpy as np
import numpy.typing as npt
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
    """Each cell weighed by a triangle, on a picture of which every pixel is 128 pixels each way."""
    rows, columns = (_average_cells(side) for side in grey.shape)
    frequencies = cv2.dct((rows @ grey @ columns.T).astype(np.float32))[1:17, 1:17]
    return np.packbits(frequencies > np.median(frequencies)).tobytes()


def _average_cells(side: int) -> npt.NDArray[np.float64]:
    """Weights ``(64, side)``, as sums over parts of pixels."""
    parts = np.arange(128 * side)
    # 2 * side parts make a cell.
    heights = side - np.abs(parts % (2 * side) + 0.5 - side)
    weights = np.zeros((64, side))
    np.add.at(weights, (parts // (2 * side), parts // 128), heights)
    shares: npt.NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return shares


@pytest.mark.parametrize(("height", "width"), _SIZES)
def test_a_hash_is_that_of_the_smoothed_picture(height: int, width: int) -> None:
    grey = _draw_noise(height, width)
    one, other = (int.from_bytes(bits) for bits in (hash_grey(grey).bits, _hash_plainly(grey)))
    # A frequency at the median may fall on either side of it.
    assert (one ^ other).bit_count() <= 2


@pytest.mark.parametrize("side", [513, 641, 768, 897, 1025])
def test_a_pixel_more_or_less_moves_hardly_a_bit(scene: Image, side: int) -> None:
    one, other = (
        np.asarray(cv2.resize(scene, (each, each), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        for each in (side, side - 1)
    )
    assert perceptual_hash(one).distance(perceptual_hash(other)) <= 4


@pytest.mark.parametrize("scale", [0.63, 0.75, 0.9, 1.1])
def test_another_size_below_the_largest_is_recognised(scene: Image, scale: float) -> None:
    large = np.asarray(cv2.resize(scene, (900, 700)), dtype=np.uint8)
    size = (round(900 * scale), round(700 * scale))
    other = np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    assert perceptual_hash(large).distance(perceptual_hash(other)) <= 8


@pytest.mark.parametrize("scale", [1.5, 3.0])
def test_a_large_picture_is_looked_at_smaller(scene: Image, scale: float) -> None:
    side = round(1000 * scale)
    large = np.asarray(cv2.resize(scene, (side, side)), dtype=np.uint8)
    assert take_grey(large).shape == (1024, 1024)
    small = np.asarray(cv2.resize(scene, (1000, 1000)), dtype=np.uint8)
    assert perceptual_hash(large).distance(perceptual_hash(small)) <= BITS / 32
