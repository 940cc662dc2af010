from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from detectors.parsing import Parsing
from detectors.rule_book import TROUSERS_WITHOUT_FEET
from detectors.topology.persons import Scene
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import topology_findings


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


def _told_apart(parsing: Parsing, persons: npt.NDArray[np.uint8]) -> Scene:
    return Scene.of(replace(parsing, persons=persons))


def _two_who_touch(parse: Any) -> tuple[Parsing, npt.NDArray[np.uint8]]:
    """Two people of 40 × 100 side by side, each a face above a coat; the right one is wider."""
    label_map = np.zeros((120, 120), dtype=np.uint8)
    label_map[10:30, 10:60], label_map[30:110, 10:60] = 12, 5
    persons = np.zeros_like(label_map)
    persons[10:110, 10:30], persons[10:110, 30:60] = 1, 2
    return parse(label_map), persons


def test_two_people_who_touch_are_two_persons_if_the_model_says_so(parse: Any) -> None:
    parsing, persons = _two_who_touch(parse)
    assert [person.area for person in Scene.of(parsing).persons] == [5000]
    right, left = _told_apart(parsing, persons).persons
    assert (left.area, left.left, left.right, left.top, left.bottom) == (2000, 10, 30, 10, 110)
    assert (right.area, right.left, right.right) == (3000, 30, 60)


def test_one_whom_a_pole_cuts_apart_is_one_person_if_the_model_says_so(draw: Any) -> None:
    parsing = draw({"upper_clothes": (40, 90, 10, 50), "arm": None})
    assert len(Scene.of(parsing).persons) == 2
    [person] = _told_apart(parsing, np.ones_like(parsing.label_map)).persons
    assert (person.top, person.bottom, person.left, person.right) == (20, 220, 30, 70)


def test_pixels_that_the_model_gives_to_nobody_stay_unclaimed(parse: Any) -> None:
    parsing, persons = _two_who_touch(parse)
    persons[persons == 1] = 0
    scene = _told_apart(parsing, persons)
    [person] = scene.persons
    assert person.area == 3000
    assert (scene.label_map > 0).sum() == 5000
    assert _told_apart(parsing, np.zeros_like(persons)).persons == ()


def test_persons_of_the_model_are_filtered_by_size_as_well(parse: Any) -> None:
    parsing, persons = _two_who_touch(parse)
    persons[persons == 1] = 0
    persons[10:14, 10:14] = 255
    assert [person.area for person in _told_apart(parsing, persons).persons] == [3000]


def test_the_person_map_is_brought_to_working_size_with_the_label_map(parse: Any) -> None:
    parsing, persons = _two_who_touch(parse)
    large = [np.kron(each, np.ones((8, 8), np.uint8)) for each in (parsing.label_map, persons)]
    scene = _told_apart(parse(large[0]), large[1])
    assert scene.label_map.shape == (320, 320)
    wide, narrow = scene.persons
    assert wide.area / narrow.area == pytest.approx(1.5, rel=0.05)


def test_the_feet_of_one_do_not_hold_the_trousers_of_whom_it_touches(parse: Any) -> None:
    label_map = np.zeros((130, 120), dtype=np.uint8)
    label_map[10:30, 10:90], label_map[30:60, 10:90], label_map[60:100, 10:90] = 12, 5, 8
    label_map[100:110, 10:50] = 10
    persons = np.zeros_like(label_map)
    persons[10:110, 10:50], persons[10:110, 50:90] = 1, 2
    parsing = parse(label_map)
    assert topology_findings(Scene.of(parsing), TopologyLimits()) == ()
    [finding] = topology_findings(_told_apart(parsing, persons), TopologyLimits())
    assert finding.rule is TROUSERS_WITHOUT_FEET
