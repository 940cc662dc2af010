import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.resample import WHOLE, Box, area_weights, resample

sizes = st.integers(1, 12)


def test_halving_averages_four_pixels() -> None:
    grid = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert resample(grid, (2, 2)).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]


def test_doubling_repeats_pixels() -> None:
    grid = np.array([[[1, 2]]], dtype=np.float32)
    assert resample(grid, (2, 4)).tolist() == [[[1, 1, 2, 2], [1, 1, 2, 2]]]


def test_a_box_is_cut_out() -> None:
    grid = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert resample(grid, (2, 2), Box(0.5, 1, 0, 0.5)).tolist() == [[[8, 9], [12, 13]]]


def test_the_same_size_is_the_same_array() -> None:
    grid = np.ones((3, 4, 5), dtype=np.float32)
    assert resample(grid, (4, 5), WHOLE) is grid


def test_cells_between_two_sources_count_both_by_their_area() -> None:
    assert area_weights(3, 0, 1, 2) == pytest.approx(np.array([[2, 1, 0], [0, 1, 2]]) / 3)


@settings(max_examples=40)
@given(st.integers(0, 99), sizes, sizes, sizes, sizes)
def test_pixels_still_sum_to_one_and_torch_agrees(
    seed: int, height: int, width: int, rows: int, columns: int
) -> None:
    raw = np.random.default_rng(seed).random((4, height, width)) + 1e-3
    probabilities = np.asarray(raw / raw.sum(axis=0), dtype=np.float32)
    found = resample(probabilities, (rows, columns))
    assert found.shape == (4, rows, columns)
    assert found.dtype == np.float32
    assert found.sum(axis=0) == pytest.approx(1, abs=1e-5)
    theirs = resample(torch.from_numpy(probabilities), (rows, columns))
    assert np.asarray(theirs) == pytest.approx(found, abs=1e-6)
