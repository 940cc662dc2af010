from math import isclose

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.resample import Box
from inference.ensemble.patches import PatchPair


def test_crops_and_overlaps_by_hand() -> None:
    """Two crops of 6 × 6 of 8 × 8 pixels, in opposite corners: 4 × 4 pixels are in both."""
    pair = PatchPair(((0.0, 0.0), (0.25, 0.25)))
    picture = np.arange(8 * 8 * 3).reshape(8, 8, 3).astype(np.uint8)
    first, second = pair.crops(picture)
    assert np.array_equal(first, picture[:6, :6])
    assert np.array_equal(second, picture[2:, 2:])
    assert pair.overlaps()[0] == pytest.approx(Box(1 / 3, 1, 1 / 3, 1))
    assert pair.overlaps()[1] == pytest.approx(Box(0, 2 / 3, 0, 2 / 3))
    assert pair.overlap_size((6, 6)) == (4, 4)


@given(st.integers(0, 999))
def test_crops_always_lie_inside_and_overlap(seed: int) -> None:
    pair = PatchPair.draw(default_rng(seed))
    for top, left in pair.corners:
        assert min(top, left) >= 0
        assert max(top, left) + pair.side <= 1
    first, second = pair.overlaps()
    for box in (first, second):
        assert 0 <= box.top < box.bottom <= 1
        assert 0 <= box.left < box.right <= 1
    assert isclose(first.bottom - first.top, second.bottom - second.top)
    assert 0.5 <= first.bottom - first.top < 1


@given(st.integers(0, 99), st.integers(1, 30), st.integers(1, 30))
def test_a_picture_of_any_size_has_two_crops_of_one_size(
    seed: int, height: int, width: int
) -> None:
    first, second = PatchPair.draw(default_rng(seed)).crops(np.zeros((height, width, 3), np.uint8))
    assert first.shape == second.shape
    assert min(first.shape) >= 1


def test_places_are_drawn_anew() -> None:
    assert PatchPair.draw(default_rng(1)) == PatchPair.draw(default_rng(1))
    assert PatchPair.draw(default_rng(1)) != PatchPair.draw(default_rng(2))
