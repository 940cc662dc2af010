from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import FeatureVector
from detectors.topology.persons import Scene
from detectors.topology.topology_features import (
    boundary_pixels,
    count_holes,
    count_pieces,
    topology_features,
    vertical_gap,
)


def test_a_whole_person_has_nothing_odd(draw: Any) -> None:
    found = topology_features(Scene.of(draw({})))
    assert (found["persons"], found["components"], found["fragments_per_person"]) == (1, 6, 6)
    assert (found["holes"], found["stray_share"], found["headless_share"]) == (0, 0, 0)
    assert found["skin_share"] == pytest.approx((24 * 20 + 55 * 10) / 7350)
    gaps = ("head_torso_gap", "torso_legs_gap", "trousers_feet_gap")
    assert [found[name] for name in gaps] == [0, 0, 0]


def test_an_empty_picture_has_counts_but_no_shares_of_persons(draw: Any) -> None:
    found = topology_features(Scene.of(draw()))
    assert (found["persons"], found["components"], found["skin_share"]) == (0, 0, 0)
    for name in ("fragments_per_person", "headless_share", "head_torso_gap", "trousers_feet_gap"):
        assert isnan(found[name]), name


def test_the_worst_persons_gap_counts(draw: Any) -> None:
    # A bag beside the trousers keeps the person in one piece.
    gap = {"pants": (100, 150, 12, 48), "bag": (90, 200, 48, 56)}
    found = topology_features(Scene.of(draw({}, gap, {})))
    assert found["trousers_feet_gap"] == pytest.approx(30 / 200)


def test_a_person_without_a_head_is_counted(draw: Any) -> None:
    headless = {"hair": None, "face": None}
    assert topology_features(Scene.of(draw({}, headless)))["headless_share"] == 0.5


def test_pieces_outside_of_any_person_are_strays(draw: Any) -> None:
    parsing = draw({})
    parsing.label_map[5:10, 80:90] = 11
    found = topology_features(Scene.of(parsing))
    assert found["stray_share"] == pytest.approx(50 / 7400)
    assert found["components"] == 7


def test_specks_are_no_pieces() -> None:
    label_map = np.zeros((20, 20), dtype=np.uint8)
    label_map[2, 2:7] = 3
    assert count_pieces(label_map) == 0
    label_map[2, 7] = 3
    assert count_pieces(label_map) == 1
    label_map[10:13, 10:12] = 3
    assert count_pieces(label_map) == 2


def test_touching_labels_are_pieces_of_their_own() -> None:
    label_map = np.zeros((20, 20), dtype=np.uint8)
    label_map[:10], label_map[10:] = 1, 2
    assert count_pieces(label_map) == 2


def test_holes_are_enclosed_background() -> None:
    ring = np.zeros((20, 20), dtype=np.bool_)
    ring[5:15, 5:15] = True
    ring[8:11, 8:10] = False
    assert count_holes(ring) == 1
    ring[9, 8:] = False
    assert count_holes(ring) == 0


def test_a_hole_that_only_a_corner_opens_is_still_closed() -> None:
    ring = np.zeros((20, 20), dtype=np.bool_)
    ring[5:15, 5:15] = True
    ring[6:9, 6:9] = False
    ring[5, 5] = False
    assert count_holes(ring) == 1


def test_a_picture_full_of_foreground_has_no_holes() -> None:
    assert count_holes(np.ones((9, 9), dtype=np.bool_)) == 0


def test_boundaries_are_counted_once_and_only_on_the_foreground() -> None:
    label_map = np.zeros((4, 6), dtype=np.uint8)
    label_map[1:3, 1:4] = 1
    # The last column and the last row of the block have a right or lower neighbour that differs.
    assert boundary_pixels(label_map) == 4


def test_gaps_are_measured_in_body_heights() -> None:
    upper, lower = np.zeros((2, 10, 3), dtype=np.bool_)
    upper[0:3], lower[5:8] = True, True
    assert vertical_gap(upper, lower, 20) == pytest.approx(0.1)
    assert vertical_gap(lower, upper, 20) == 0
    assert isnan(vertical_gap(upper, np.zeros_like(lower), 20))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_any_label_map_is_measured_within_the_registrys_ranges(
    parse: Any, height: int, width: int, seed: int, cell: int
) -> None:
    coarse = np.random.default_rng(seed).integers(0, 15, (height, width)).astype(np.uint8)
    label_map = np.kron(coarse, np.ones((cell, cell), dtype=np.uint8))
    found = topology_features(Scene.of(parse(label_map)))
    assert FeatureVector.of(found)["persons"] >= 0
