"""Printed squares in smooth pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.parsing import Image
from detectors.picture.colour_detail import (
    colour_detail_place,
    colour_detail_tile,
    colour_spread_window,
)
from inference.figures import draw_figure


def _smooth(height: int = 240, width: int = 192) -> Image:
    rows, columns = np.mgrid[0:height, 0:width]
    colours = (rows * 200 / height, columns * 200 / width, 100 + rows * 0)
    return np.stack(colours, axis=2).astype(np.uint8)


def _with_square(image: Image, top: int, left: int, side: int) -> Image:
    printed = image.copy()
    noise = default_rng(3).integers(0, 2, (side, side, 3)) * 255
    printed[top : top + side, left : left + side] = noise
    return printed


@pytest.mark.parametrize(("top", "left"), [(24, 48), (168, 120)])
def test_a_square_of_noise_is_found_and_placed(top: int, left: int) -> None:
    smooth = _smooth()
    printed = _with_square(smooth, top, left, 48)
    assert colour_detail_tile(smooth) < 2
    assert colour_detail_tile(printed) > 50
    place = colour_detail_place(printed)
    assert left <= place.left < place.right <= left + 48
    assert top <= place.top < place.bottom <= top + 48
    assert place.part is None


def test_a_large_picture_is_measured_smaller_and_placed_in_its_own_pixels() -> None:
    large = cv2.resize(_with_square(_smooth(), 24, 48, 48), (1920, 2400), interpolation=0)
    place = colour_detail_place(np.asarray(large, np.uint8))
    assert 480 - 40 <= place.left < place.right <= 960 + 40
    assert 240 - 40 <= place.top < place.bottom <= 720 + 40
    assert colour_detail_tile(np.asarray(large, np.uint8)) > 30


def test_a_drawn_figure_has_far_less_than_a_printed_square() -> None:
    figure = draw_figure(11, (240, 192)).image
    printed = _with_square(figure, 96, 72, 48)
    assert colour_detail_tile(printed) > 3 * colour_detail_tile(figure)


def test_grey_noise_has_no_colour() -> None:
    grey = default_rng(0).integers(0, 256, (64, 64, 1)).astype(np.uint8)
    assert colour_detail_tile(np.repeat(grey, 3, axis=2)) == 0


def test_coarse_cells_of_many_colours_spread_and_two_colours_do_not() -> None:
    cells = default_rng(3).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    smooth = _smooth()
    printed, striped = smooth.copy(), smooth.copy()
    printed[96:144, 72:120] = cv2.resize(cells, (48, 48), interpolation=cv2.INTER_NEAREST)
    striped[96:144, 72:120:2] = (220, 30, 30)
    striped[96:144, 73:120:2] = (30, 30, 220)
    spreads = [colour_spread_window(each) for each in (smooth, striped, printed)]
    assert spreads[0] < 5
    assert spreads[2] > max(40, 1.3 * spreads[1])


def test_the_spread_is_the_smaller_deviation_of_a_window() -> None:
    """Four colours in equal shares: Cr and Cb have covariance zero there."""
    tile = np.array([[(200, 100, 100), (100, 100, 200)], [(100, 160, 100), (150, 150, 150)]])
    image = np.tile(tile, (32, 32, 1)).astype(np.uint8)
    _, red, blue = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    covariance = np.cov(red.ravel(), blue.ravel(), bias=True)
    expected = np.sqrt(np.linalg.eigvalsh(covariance)[0])
    assert colour_spread_window(image) == pytest.approx(expected, rel=0.15)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 999))
def test_pictures_of_any_size_have_a_place_inside(height: int, width: int, seed: int) -> None:
    image = default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert 0 <= colour_detail_tile(image) <= 510
    assert 0 <= colour_spread_window(image) <= 128
    place = colour_detail_place(image)
    assert 0 <= place.left < place.right <= width
    assert 0 <= place.top < place.bottom <= height


@pytest.mark.parametrize("size", [(1, 700_000), (700_000, 1)])
def test_a_long_strip_is_bounded_too(size: tuple[int, int]) -> None:
    assert colour_detail_tile(np.zeros((*size, 3), np.uint8)) == 0
    assert colour_spread_window(np.zeros((*size, 3), np.uint8)) == 0
