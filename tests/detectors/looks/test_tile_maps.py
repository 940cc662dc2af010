"""Tiles and pieces of small maps, by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from detectors.looks.tile_maps import (
    as_numpy,
    largest_piece,
    largest_tile_mean,
    tile_means,
    worst_tile,
)

SIDES = st.integers(1, 70)


def test_a_hot_tile_is_found_where_it_lies() -> None:
    values = np.zeros((32, 48), np.float32)
    values[8:16, 24:32] = 1
    assert largest_tile_mean(values) == 1
    assert worst_tile(values) == (24, 8, 32, 16)


def test_a_tile_hides_less_than_the_mean_of_the_map() -> None:
    values = np.zeros((80, 80), np.float32)
    values[3, 5] = 0.64
    assert largest_tile_mean(values) == pytest.approx(0.01)
    assert values.mean() == pytest.approx(0.0001)


def test_a_map_smaller_than_a_tile_is_one_tile() -> None:
    values = np.array([[0, 1, 0.5]], np.float32)
    assert tile_means(values).shape == (1, 1)
    assert largest_tile_mean(values) == pytest.approx(0.5)
    assert worst_tile(values) == (0, 0, 3, 1)


@given(SIDES, SIDES, st.integers(0, 999))
def test_the_worst_tile_lies_inside_and_holds_something(rows: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).random((rows, columns)).astype(np.float32)
    left, top, right, bottom = worst_tile(values)
    assert 0 <= left < right <= columns
    assert 0 <= top < bottom <= rows
    assert values.min() - 1e-5 <= largest_tile_mean(values) <= values.max() + 1e-5


@given(SIDES, SIDES, st.integers(0, 999), st.floats(0, 1))
def test_the_largest_piece_lies_inside(rows: int, columns: int, seed: int, top: float) -> None:
    values = np.random.default_rng(seed).uniform(0, top, (rows, columns)).astype(np.float32)
    left, upper, right, lower = largest_piece(values)
    assert 0 <= left < right <= columns
    assert 0 <= upper < lower <= rows


def test_the_piece_that_holds_most_counts_not_the_widest() -> None:
    values = np.zeros((20, 20), np.float32)
    values[0:4, 0:5] = 0.3
    values[10:13, 10:13] = 1
    assert largest_piece(values) == (10, 10, 13, 13)


def test_pixels_that_touch_at_a_corner_are_one_piece() -> None:
    assert largest_piece(np.eye(6, dtype=np.float32)) == (0, 0, 6, 6)


def test_without_a_strong_pixel_the_worst_tile_is_named() -> None:
    values = np.zeros((16, 16), np.float32)
    values[8:, 8:] = 0.29
    assert largest_piece(values) == worst_tile(values) == (8, 8, 16, 16)


def test_tensors_are_taken_as_arrays() -> None:
    values = np.arange(64 * 2, dtype=np.float32).reshape(8, 16)
    assert as_numpy(torch.from_numpy(values)).tolist() == values.tolist()
    assert largest_tile_mean(torch.from_numpy(values)) == largest_tile_mean(values)
