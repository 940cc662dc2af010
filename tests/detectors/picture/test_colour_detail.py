"""Printed squares in smooth pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.parsing import Image
from detectors.picture.colour_detail import colour_detail_place, colour_detail_tile
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


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 999))
def test_pictures_of_any_size_have_a_place_inside(height: int, width: int, seed: int) -> None:
    image = default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    assert 0 <= colour_detail_tile(image) <= 510
    place = colour_detail_place(image)
    assert 0 <= place.left < place.right <= width
    assert 0 <= place.top < place.bottom <= height


@pytest.mark.parametrize("size", [(1, 700_000), (700_000, 1)])
def test_a_long_strip_is_bounded_too(size: tuple[int, int]) -> None:
    assert colour_detail_tile(np.zeros((*size, 3), np.uint8)) == 0
