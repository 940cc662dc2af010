"""Means of areas are those of all their pixels and parts of pixels."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.area_means import area_means

SIDES, AREAS = st.integers(1, 90), st.integers(1, 20)


@given(SIDES, SIDES, AREAS, AREAS, st.integers(0, 2**32 - 1))
def test_every_size_gives_the_means_of_what_an_area_covers(
    high: int, wide: int, height: int, width: int, seed: int
) -> None:
    plane = np.random.default_rng(seed).integers(0, 256, (high, wide), dtype=np.uint8)
    # Each pixel so many times that every edge lies between pixels.
    blown_up = np.repeat(np.repeat(plane, height, axis=0), width, axis=1)
    expected = blown_up.reshape(height, high, width, wide).mean(axis=(1, 3))
    assert np.allclose(area_means(plane, width, height), expected, atol=1e-3)


@pytest.mark.parametrize("size", [(16, 16), (23, 34)])
def test_a_photo_gives_what_opencv_gives(size: tuple[int, int]) -> None:
    plane = np.random.default_rng(7).integers(0, 256, (831, 553), dtype=np.uint8)
    expected = cv2.resize(plane.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    assert np.allclose(area_means(plane, *size), expected, atol=1e-3)


def test_the_brightest_plane_that_is_taken_does_not_overflow() -> None:
    plane = np.full((2900, 2903), 255, dtype=np.uint8)
    assert np.allclose(area_means(plane, 3, 2), 255)
    with pytest.raises(ValueError, match="At most 8421504 pixels can be summed up"):
        area_means(np.zeros((2903, 2903), dtype=np.uint8), 3, 2)
