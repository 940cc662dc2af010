"""Looks at a service that gives labels alone: everything is measured, and doubt is none."""

from collections.abc import Sequence
from math import isnan, log
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from detectors.looks.ensemble_features import consensus_features, consensus_of
from detectors.looks.local_features import Contrast
from detectors.looks.squeeze_features import divergence_map, patch_consistency, squeeze_features
from detectors.looks.triggers import find_best_return, foreground_of, suspect_of
from detectors.parsing import Parsing
from detectors.reductions import entropy_map
from detectors.registry import FeatureVector
from detectors.resample import Box

LABELS = ("background", "face", "hair", "pants")
HEIGHT, WIDTH = 32, 40
NOTHING = pytest.approx(0, abs=1e-6)
Floats = npt.NDArray[np.float32]


def _parse(*boxes: tuple[int, slice, slice]) -> Floats:
    label_map = np.zeros((HEIGHT, WIDTH), np.uint8)
    for label, rows, columns in boxes:
        label_map[rows, columns] = label
    one_hot = [label_map == label for label in range(len(LABELS))]
    return np.asarray(one_hot, np.float32)


FACE = (1, slice(4, 12), slice(10, 20))
PANTS = (3, slice(12, 30), slice(10, 20))
PERSON, FACELESS = _parse(FACE, PANTS), _parse(PANTS)
_PIXELS = 80 + 180


def _divergence(first: Floats, second: Floats) -> float:
    return float(divergence_map(first, second).mean())


def test_labels_have_no_entropy() -> None:
    assert float(entropy_map(PERSON).max()) == NOTHING
    parsing = Parsing(PERSON, np.zeros((HEIGHT, WIDTH), np.uint8), LABELS)
    assert float(parsing.entropies.max()) == NOTHING


def test_looks_differ_by_the_share_of_labels_that_differ() -> None:
    assert _divergence(PERSON, PERSON) == NOTHING
    share = 80 / (HEIGHT * WIDTH)
    assert _divergence(PERSON, FACELESS) == pytest.approx(log(2) * share, rel=1e-4)


def test_a_face_that_comes_back_shows_in_a_first_look() -> None:
    same, other = (Contrast.of(FACELESS, look, LABELS) for look in (FACELESS, PERSON))
    quiet, loud = same.features("glance"), other.features("glance")
    assert set(quiet) == set(loud)
    assert all(value == NOTHING for value in quiet.values())
    assert loud["glance_divergence"] == pytest.approx(log(2) * 80 / _PIXELS, rel=1e-4)
    assert loud["glance_tile_divergence"] > 0.2
    assert loud["glance_entropy"] == NOTHING
    assert loud["glance_returned_face_share"] == pytest.approx(1)
    assert loud["glance_withdrawn_share"] == NOTHING
    place = other.place_of("glance_returned_face_share", HEIGHT, WIDTH)
    assert (place.top, place.bottom, place.left, place.right) == (4, 12, 10, 20)
    FeatureVector.of(loud)


@pytest.mark.parametrize(
    ("members", "disagreement"),
    [([PERSON] * 5, 0.0), ([PERSON] * 4 + [FACELESS], 80 / _PIXELS / 5)],
)
def test_members_disagree_by_labels(members: Sequence[Any], disagreement: float) -> None:
    consensus = consensus_of(members)
    features = consensus_features(PERSON, consensus, LABELS)
    assert features["label_disagreement"] == pytest.approx(disagreement)
    assert features["ensemble_variance"] == pytest.approx(disagreement * 2 / 4 * 0.8, abs=1e-6)
    # Of members without doubt, all doubt of their mean is what they disagree about.
    assert features["mutual_information"] == pytest.approx(features["ensemble_entropy"], abs=1e-6)
    assert (features["ensemble_entropy"] > 0.01) is bool(disagreement)
    assert features["worst_group_iou"] == 1
    FeatureVector.of(features)


def test_members_that_see_a_hidden_face_say_so() -> None:
    features = consensus_features(FACELESS, consensus_of([PERSON] * 5), LABELS)
    assert features["js_consensus"] == pytest.approx(log(2) * 80 / _PIXELS, rel=1e-4)
    assert features["hidden_face_share"] == 1
    assert features["hidden_area_share"] == pytest.approx(80 / (HEIGHT * WIDTH))


def test_squeezes_and_crops_are_compared() -> None:
    features = squeeze_features(FACELESS, {"jpeg": PERSON, "median": FACELESS})
    assert features["js_jpeg"] == pytest.approx(log(2) * 80 / _PIXELS, rel=1e-4)
    assert features["js_median"] == NOTHING
    assert features["hidden_squeeze_share"] == pytest.approx(80 / (HEIGHT * WIDTH))
    assert patch_consistency(PERSON, PERSON) == 1
    assert patch_consistency(PERSON, FACELESS) == pytest.approx(0.5, abs=0.3)
    assert not any(isnan(value) for value in features.values())


def test_a_part_that_comes_back_under_a_hidden_tile_is_found() -> None:
    corner, other = Box(0.7, 1.0, 0.8, 1.0), Box(0.0, 0.3, 0.8, 1.0)
    best = find_best_return(foreground_of(FACELESS), [PERSON, FACELESS], [corner, other], LABELS)
    assert best.tile == corner
    assert best.shares["face"] == pytest.approx(1)
    assert suspect_of(best, 1.0).score == pytest.approx(1)
