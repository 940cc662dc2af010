"""Tiles on maps of a few pixels, by hand, in numpy and in torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from detectors.findings import Place
from detectors.looks.triggers import (
    Suspect,
    find_best_return,
    free_places,
    measure_return,
    measure_vanishing,
    suspect_of,
    trigger_finding,
)
from detectors.parts import PartGroup
from detectors.resample import Box
from detectors.rule_book import TRIGGER_SUSPECTED

LABELS = ("background", "face", "pants")
FACE, PANTS = (slice(0, 4), slice(0, 20)), (slice(10, 20), slice(0, 20))
NOTHING = np.zeros((20, 20), np.float32)
TILE, ELSEWHERE = Box(0.8, 1.0, 0.8, 1.0), Box(0.8, 1.0, 0.0, 0.2)
As = Callable[[Any], Any]


@pytest.fixture(params=[np.asarray, torch.asarray], ids=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> As:
    convert: As = request.param
    return convert


def look(face: bool = False, pants: bool = False) -> npt.NDArray[np.float32]:
    """Probabilities ``(3, 20, 20)`` of a face in the upper rows and trousers in the lower half."""
    seen = np.zeros((3, 20, 20), np.float32)
    seen[(1, *FACE)], seen[(2, *PANTS)] = face, pants
    seen[0] = 1 - seen[1:].sum(axis=0)
    return seen


def test_a_part_that_comes_back_far_away_is_measured_and_named(xp: As) -> None:
    found = measure_return(xp(look(pants=True)[2]), xp(look(face=True, pants=True)), TILE, LABELS)
    assert found.shares["face"] == pytest.approx(1)
    assert found.shares["clothes"] == pytest.approx(0)
    assert found.share == pytest.approx(1)
    assert found.part is PartGroup.FACE
    assert np.isnan(found.shares["hair"])


def test_what_comes_back_under_the_tile_does_not_count(xp: As) -> None:
    found = measure_return(xp(NOTHING), xp(look(face=True)), Box(bottom=0.2), LABELS)
    assert (found.share, found.part) == (0, None)


def test_the_tile_that_alone_brings_something_back_wins(xp: As) -> None:
    looks = [xp(look()), xp(look(face=True)), xp(look())]
    tiles = [Box(0.7, 0.8), TILE, ELSEWHERE]
    assert find_best_return(xp(NOTHING), looks, tiles, LABELS).tile == TILE


def test_what_every_hidden_tile_brings_back_was_hidden_by_none(xp: As) -> None:
    looks = [xp(look(face=True))] * 2
    assert find_best_return(xp(NOTHING), looks, [TILE, ELSEWHERE], LABELS).share == 0


@pytest.mark.parametrize(("seen_again", "expected"), [(True, 0.0), (False, 1.0)])
def test_what_vanishes_with_a_moved_tile(xp: As, seen_again: bool, expected: float) -> None:
    found = measure_return(xp(NOTHING), xp(look(face=True)), TILE, LABELS)
    moved = xp(look(face=seen_again))
    assert measure_vanishing(found, moved, ELSEWHERE) == pytest.approx(expected)
    assert np.isnan(measure_vanishing(found, moved, Box(bottom=0.3)))


def test_places_that_would_cover_what_came_back_are_last(xp: As) -> None:
    found = measure_return(xp(NOTHING), xp(look(face=True)), TILE, LABELS)
    over, beside, below = Box(bottom=0.2), Box(0.5, 0.7), Box(0.6, 0.8)
    assert free_places(found, (over, beside, below), 2) == (beside, below)
    assert free_places(found, (over,), 2) == (over,)


def test_a_suspect_tells_where_it_is_and_what_came_back() -> None:
    found = suspect_of(measure_return(NOTHING, look(face=True), TILE, LABELS), 0.5)
    assert (found.score, found.features()["trigger_score"]) == (0.5, 0.5)
    assert found.back == Box(0.0, 0.2, 0.0, 1.0)
    finding = trigger_finding(found, (200, 100), 0.4)
    assert finding is not None
    assert finding.rule is TRIGGER_SUSPECTED
    assert finding.evidence == {"return_share": 1.0, "moved_share": 0.5}
    assert finding.places == (Place(80, 160, 100, 200), Place(0, 0, 100, 40, "face"))
    assert trigger_finding(found, (200, 100), 0.5) is None


def test_a_tile_that_was_never_moved_scores_nothing() -> None:
    assert (
        suspect_of(measure_return(NOTHING, look(face=True), TILE, LABELS), float("nan")).score == 0
    )
    assert Suspect(TILE, 0.9, 0.0).score == 0
