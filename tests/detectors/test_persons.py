from typing import Any

import numpy as np
import pytest

from detectors.persons import Scene


def test_a_person_is_found_with_its_box_and_area(draw: Any) -> None:
    [person] = Scene.of(draw({})).persons
    assert (person.top, person.bottom, person.left, person.right) == (20, 220, 20, 70)
    assert person.height == 200
    assert person.area == 320 + 480 + 2400 + 550 + 2880 + 720


def test_each_person_has_only_its_own_pixels_largest_first(draw: Any) -> None:
    scene = Scene.of(draw({"shoes": None}, {}, {}))
    assert [person.area for person in scene.persons] == [7350, 7350, 6630]
    assert np.array_equal(sum(person.label_map for person in scene.persons), scene.label_map)


def test_an_empty_picture_has_no_persons(draw: Any) -> None:
    assert Scene.of(draw()).persons == ()


@pytest.mark.parametrize(("gap", "pieces"), [(4, 1), (5, 2)])
def test_a_small_gap_does_not_tear_a_person_apart(draw: Any, gap: int, pieces: int) -> None:
    apart = {"upper_clothes": (40, 110, 10, 50), "pants": (110 + gap, 180, 12, 48)}
    assert len(Scene.of(draw(apart)).persons) == pieces


@pytest.mark.parametrize(
    ("height", "width", "found"), [(8, 5, 1), (7, 12, 0), (8, 4, 0), (10, 4, 1)]
)
def test_what_is_too_low_or_too_small_is_no_person(
    parse: Any, height: int, width: int, found: int
) -> None:
    label_map = np.zeros((100, 100), dtype=np.uint8)
    label_map[40 : 40 + height, 40 : 40 + width] = 4
    label_map[40:44, 40 : 40 + width] = 12
    assert len(Scene.of(parse(label_map)).persons) == found


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (700, 900)])
def test_work_is_done_at_a_bounded_size(parse: Any, shape: tuple[int, int]) -> None:
    stripes = np.indices(shape).sum(axis=0) // 16 % 2 + 1
    scene = Scene.of(parse(stripes.astype(np.uint8)))
    assert max(scene.label_map.shape) <= 320
    assert min(scene.label_map.shape) >= 1
    assert scene.label_map.all()


def test_a_bag_that_stands_alone_is_no_person(parse: Any) -> None:
    label_map = np.zeros((100, 100), dtype=np.uint8)
    label_map[40:80, 40:70] = 11
    assert Scene.of(parse(label_map)).persons == ()
    label_map[40:50, 40:70] = 12
    assert len(Scene.of(parse(label_map)).persons) == 1


def test_the_parsing_is_left_as_it_was(draw: Any) -> None:
    parsing = draw({})
    before = parsing.label_map.copy()
    Scene.of(parsing)
    assert np.array_equal(parsing.label_map, before)
