"""Boxes around the places of findings."""

import numpy as np
import pytest

from detectors.findings import Place
from inference.answer.boxes import outline_places

INK, HALO = [212, 17, 89], [255, 255, 255]


def test_a_box_is_drawn_in_the_size_of_the_drawing() -> None:
    """A place in a picture of 400 by 200 on a drawing of half its size."""
    drawn = np.full((200, 100, 3), 60, np.uint8)
    boxed = outline_places(drawn, [Place(40, 80, 120, 240)], 400, 200)
    for row, column in ((40, 40), (120, 40), (80, 20), (80, 60)):
        assert boxed[row, column].tolist() == INK
    assert boxed[80, 22 - 1].tolist() == boxed[80, 20 - 1].tolist() == HALO
    assert boxed[80, 40].tolist() == boxed[10, 10].tolist() == [60] * 3


def test_the_drawing_itself_is_left_alone() -> None:
    drawn = np.full((50, 50, 3), 60, np.uint8)
    boxed = outline_places(drawn, [Place(10, 10, 40, 40)], 50, 50)
    assert (drawn == 60).all()
    assert boxed.shape == drawn.shape
    assert boxed.dtype == np.uint8


def test_without_places_nothing_is_drawn() -> None:
    drawn = np.full((50, 50, 3), 60, np.uint8)
    boxed = outline_places(drawn, (), 50, 50)
    assert boxed is not drawn
    assert (boxed == drawn).all()


def test_the_clearest_place_lies_on_top() -> None:
    drawn = np.full((60, 60, 3), 60, np.uint8)
    clearest, other = Place(10, 10, 40, 40), Place(13, 10, 50, 50)
    boxed = outline_places(drawn, (clearest, other), 60, 60)
    assert boxed[25, 10].tolist() == INK
    assert boxed[10, 13].tolist() == INK
    # Its halo covers the other's line where they cross.
    assert boxed[39, 13].tolist() == HALO


@pytest.mark.parametrize("size", [(1, 1), (3, 900)])
def test_a_place_at_the_border_or_beyond_is_cut(size: tuple[int, int]) -> None:
    drawn = np.zeros((*size, 3), np.uint8)
    boxed = outline_places(drawn, [Place(-5, -5, 5_000, 5_000), Place(0, 0, 1, 1)], *size)
    assert boxed.shape == drawn.shape
