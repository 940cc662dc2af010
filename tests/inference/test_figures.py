import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.figures import draw_figure
from inference.segmenters.reference.labels import LABELS, Label

SMALL = (96, 144)


def test_the_same_seed_draws_the_same_picture() -> None:
    first, again = draw_figure(5, SMALL, persons=2), draw_figure(5, SMALL, persons=2)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.label_map, again.label_map)


def test_another_seed_draws_another_picture() -> None:
    first, second = draw_figure(5, SMALL), draw_figure(6, SMALL)
    assert not np.array_equal(first.image, second.image)
    assert not np.array_equal(first.label_map, second.label_map)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(60, 160), st.integers(90, 200), st.integers(0, 3))
def test_any_figure_is_a_picture_with_a_label_for_each_pixel(
    seed: int, width: int, height: int, persons: int
) -> None:
    figure = draw_figure(seed, (width, height), persons)
    assert figure.image.shape == (height, width, 3)
    assert figure.label_map.shape == (height, width)
    assert figure.image.dtype == figure.label_map.dtype == np.uint8
    assert figure.label_map.max() < len(LABELS)
    assert (persons > 0) == bool(figure.label_map.any())


def test_every_label_is_drawn_sooner_or_later() -> None:
    seen = {int(label) for seed in range(12) for label in np.unique(draw_figure(seed).label_map)}
    assert seen == set(range(len(LABELS)))


@pytest.mark.parametrize("seed", range(4))
def test_everybody_has_a_face_arms_and_shoes(seed: int) -> None:
    figure = draw_figure(seed)
    present = set(np.unique(figure.label_map))
    assert present >= {Label.FACE, Label.HAIR, Label.ARM, Label.SHOES}
    rows = {label: np.flatnonzero((figure.label_map == label).any(axis=1)) for label in present}
    assert rows[Label.HAIR][0] < rows[Label.FACE].mean() < rows[Label.SHOES].mean()


def test_several_persons_stand_side_by_side() -> None:
    width = 3 * SMALL[0]
    figure = draw_figure(8, (width, SMALL[1]), persons=3)
    for third in np.split(figure.label_map, 3, axis=1):
        assert {Label.FACE, Label.SHOES} <= set(np.unique(third))


def test_a_place_without_people_is_all_background() -> None:
    figure = draw_figure(3, SMALL, persons=0)
    assert not figure.label_map.any()
    assert figure.image.std() > 5


def test_a_person_looks_different_from_the_place() -> None:
    """Otherwise the labels would be right and the picture useless."""
    place, person = draw_figure(4, persons=0), draw_figure(4)
    changed = np.abs(place.image.astype(int) - person.image).max(axis=2) > 25
    assert changed[person.label_map > 0].mean() > 0.5
