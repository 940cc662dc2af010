"""Where tiles lie, and what hiding and moving one does to the pixels."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from detectors.looks.tiles import cut, hide_tile, other_places, put, strips
from detectors.resample import Box

SHIFTS = st.floats(0, 1)


@given(st.integers(2, 12), SHIFTS, st.sampled_from([(576, 384), (300, 900), (5, 5)]))
def test_strips_lie_across_the_longer_side_and_leave_nothing_out(
    count: int, shift: float, size: tuple[int, int]
) -> None:
    boxes = strips(count, size, shift)
    upright = size[0] >= size[1]
    spans = [(box.top, box.bottom) if upright else (box.left, box.right) for box in boxes]
    across = {(box.left, box.right) if upright else (box.top, box.bottom) for box in boxes}
    assert len(boxes) == count
    assert across == {(0.0, 1.0)}
    _assert_covered(spans)


@given(st.integers(2, 12), SHIFTS, st.booleans())
def test_tiles_cover_their_strip(count: int, shift: float, upright: bool) -> None:
    strip = Box(top=0.2, bottom=0.4) if upright else Box(left=0.2, right=0.4)
    boxes = cut(strip, count, shift)
    spans = [(box.left, box.right) if upright else (box.top, box.bottom) for box in boxes]
    _assert_covered(spans)
    for box in boxes:
        kept = (box.top, box.bottom) if upright else (box.left, box.right)
        assert kept == (0.2, 0.4)


def _assert_covered(spans: list[tuple[float, float]]) -> None:
    assert spans[0][0] == 0
    assert spans[-1][1] == 1
    assert all(start < before for (_, before), (start, _) in itertools.pairwise(spans))
    assert all(0 <= start < stop <= 1 for start, stop in spans)


def test_another_shift_moves_the_borders() -> None:
    assert strips(7, (9, 9), 0.1) != strips(7, (9, 9), 0.9)


def test_a_hidden_tile_shows_only_what_lies_beside_it_and_the_rest_is_untouched() -> None:
    image = default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    other = image.copy()
    other[10:20] = 0
    strip = Box(0.25, 0.5)
    result = hide_tile(image, strip)
    assert (result == hide_tile(other, strip)).all()
    assert (result[10] == image[9]).all()
    assert (result[19] == image[20]).all()
    assert (result[:10] == image[:10]).all()
    assert (result[20:] == image[20:]).all()


def test_a_tile_of_the_whole_picture_becomes_one_colour() -> None:
    image = default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    assert len(np.unique(hide_tile(image, Box()).reshape(-1, 3), axis=0)) == 1


def test_a_tile_is_put_at_its_place_and_nowhere_else() -> None:
    image = default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    ground = np.zeros_like(image)
    result = put(image, Box(0.0, 0.25, 0.0, 0.25), Box(0.5, 0.75, 0.25, 0.5), ground)
    assert (result[20:30, 10:20] == image[:10, :10]).all()
    assert result.sum() == image[:10, :10].sum()
    assert ground.sum() == 0


@given(st.floats(0, 0.7), st.floats(0, 0.7), st.floats(0.05, 0.3), st.integers(0, 99))
def test_other_places_are_in_the_picture_equal_in_size_and_do_not_touch_the_tile(
    top: float, left: float, side: float, seed: int
) -> None:
    tile = Box(top, top + side, left, left + side)
    places = other_places(tile, default_rng(seed).random((40, 2)))
    assert places
    for place in places:
        assert min(place) >= 0
        assert max(place) <= 1 + 1e-9
        assert place.bottom - place.top == pytest.approx(side)
        assert place.right - place.left == pytest.approx(side)
    apart = [max(abs(each.top - top), abs(each.left - left)) for each in places]
    assert len(places) == 1 or min(apart) >= side - 1e-9


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_pictures_of_any_size_can_be_hidden_and_put_together(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 7, np.uint8)
    for strip in strips(7, size, 0.5):
        for tile in cut(strip, 5, 0.5):
            assert (hide_tile(image, tile) == 7).all()
            for place in other_places(tile, np.array([[0.1, 0.9], [0.9, 0.1]])):
                assert put(image, tile, place, image).shape == image.shape
