"""Means of areas are those of OpenCV, to the last bit."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.area_means import area_means

SIDES = st.integers(1, 150)


@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_every_size_gives_what_opencv_gives(
    high: int, wide: int, height: int, width: int, seed: int
) -> None:
    plane = np.random.default_rng(seed).uniform(0, 255, (high, wide)).astype(np.float32)
    expected = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    assert np.array_equal(area_means(plane, width, height), expected.reshape(height, width))


def test_a_photo_gives_the_thumbnail_and_the_tiles_that_opencv_gives() -> None:
    plane = np.random.default_rng(7).integers(0, 256, (831, 553)).astype(np.float32)
    for size in ((16, 16), (23, 34)):
        expected = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
        assert np.array_equal(area_means(plane, *size), expected)
