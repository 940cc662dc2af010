"""Numbers of an ensemble on arrays of a few pixels, by hand, in numpy and in torch."""

from collections.abc import Callable
from itertools import permutations
from math import isnan, log
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.looks.ensemble_features import (
    Consensus,
    consensus_features,
    consensus_of,
    hidden_features,
    label_disagreement,
    region_ious,
)
from detectors.registry import FeatureVector

LABELS = ("background", "face", "hair", "pants")
Floats = npt.NDArray[np.float32]
BACKENDS: list[Callable[[Any], Any]] = [np.asarray, torch.asarray]


def _one_hot(label_map: list[list[int]]) -> Floats:
    channels = np.eye(len(LABELS), dtype=np.float32)[np.array(label_map)]
    return np.ascontiguousarray(channels.transpose(2, 0, 1))


def _random(seed: int, height: int = 4, width: int = 5) -> Floats:
    raw = np.random.default_rng(seed).exponential(size=(len(LABELS), height, width)) ** 3
    return np.asarray(raw / raw.sum(axis=0), dtype=np.float32)


def _maps(consensus: Consensus) -> list[Floats]:
    kept = (consensus.mean, consensus.variance, consensus.entropy, consensus.mutual_information)
    return [np.asarray(each) for each in kept]


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_sure_members_that_contradict_each_other(backend: Callable[[Any], Any]) -> None:
    """The mean is half and half: entropy ln 2, all of it mutual; variance 1/4 in 2 of 4."""
    members = [backend(_one_hot([[1, 1]])), backend(_one_hot([[1, 2]]))]
    mean, variance, entropy, mutual = _maps(consensus_of(members))
    assert mean[:, 0].T.tolist() == [[0, 1, 0, 0], [0, 0.5, 0.5, 0]]
    assert variance[0].tolist() == [0, 0.125]
    assert entropy[0] == pytest.approx([0, log(2)], abs=1e-6)
    assert mutual[0] == pytest.approx([0, log(2)], abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_unsure_members_that_agree_have_entropy_but_share_it(
    backend: Callable[[Any], Any],
) -> None:
    unsure = backend(np.full((4, 1, 1), 0.25, dtype=np.float32))
    _, variance, entropy, mutual = _maps(consensus_of([unsure, unsure]))
    assert (variance.item(), mutual.item()) == (0, 0)
    assert entropy.item() == pytest.approx(log(4))


@pytest.mark.parametrize("backend", BACKENDS)
def test_features_of_a_face_that_only_the_members_see(backend: Callable[[Any], Any]) -> None:
    """The parse sees hair over background; both members see a face below it."""
    parse = backend(_one_hot([[2, 2], [0, 0], [0, 0], [0, 0]]))
    seen = backend(_one_hot([[2, 2], [1, 1], [0, 0], [0, 0]]))
    found = consensus_features(parse, consensus_of([seen, seen]), LABELS)
    assert found["hidden_area_share"] == 0.25
    assert found["hidden_foreground_share"] == 0.5
    assert (found["hidden_face_share"], found["hidden_hair_share"]) == (1, 0)
    assert isnan(found["hidden_legs_share"])
    assert (found["worst_group_iou"], found["worst_member_iou"]) == (0, 1)
    assert found["js_consensus"] == pytest.approx(log(2) / 2, abs=1e-6)
    assert (found["label_disagreement"], found["ensemble_variance"]) == (0, 0)
    FeatureVector.of(found)


def test_a_part_that_only_the_parse_sees_is_not_hidden() -> None:
    before, after = np.array([[1, 2]]), np.array([[0, 2]])
    found = hidden_features(before, after, LABELS)
    assert (found["hidden_area_share"], found["hidden_foreground_share"]) == (0, 0)
    assert isnan(found["hidden_face_share"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_regions_overlap_by_their_pixels(backend: Callable[[Any], Any]) -> None:
    first, second = backend(np.array([[1, 1, 1, 3]])), backend(np.array([[1, 1, 2, 0]]))
    found = region_ious(first, second, LABELS)
    assert found["face"] == pytest.approx(2 / 3)
    assert (found["hair"], found["clothes"]) == (0, 0)
    assert isnan(found["arms"])


def test_a_region_of_a_few_pixels_is_not_compared() -> None:
    label_map = np.zeros((100, 100), dtype=np.int64)
    label_map[0, :9] = 1
    assert isnan(region_ious(label_map, label_map, LABELS)["face"])
    label_map[0, 9] = 1
    assert region_ious(label_map, label_map, LABELS)["face"] == 1


def test_labels_are_compared_on_the_foreground_only() -> None:
    consensus, foreground = np.array([[1, 1, 0, 0]]), np.array([[True, True, False, False]])
    members = [np.array([[1, 2, 3, 3]]), np.array([[1, 1, 0, 3]])]
    assert label_disagreement(members, consensus, foreground) == 0.25


def test_without_foreground_there_is_nothing_to_compare() -> None:
    empty = _one_hot([[0, 0], [0, 0]])
    found = consensus_features(empty, consensus_of([empty, empty]), LABELS)
    assert (found.pop("hidden_area_share"), found.pop("tile_js_consensus")) == (0, 0)
    assert all(isnan(value) for value in found.values())
    FeatureVector.of(found)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 999), min_size=1, max_size=6))
def test_mutual_information_lies_between_zero_and_the_entropy_of_the_mean(seeds: list[int]) -> None:
    consensus = consensus_of([_random(seed) for seed in seeds])
    mean, variance, entropy, mutual = _maps(consensus)
    assert mean.sum(axis=0) == pytest.approx(1, abs=1e-5)
    assert (variance >= 0).all()
    assert (variance <= 0.25).all()
    assert (mutual >= 0).all()
    assert (mutual <= np.minimum(entropy + 1e-5, log(len(LABELS)))).all()
    FeatureVector.of(consensus_features(_random(7), consensus, LABELS))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 7))
def test_members_that_are_equal_differ_by_nothing(seed: int, count: int) -> None:
    member = _random(seed)
    mean, variance, _, mutual = _maps(consensus_of([member] * count))
    assert (mean == member).all()
    assert not variance.any()
    assert mutual == pytest.approx(0, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999))
def test_the_order_of_the_members_does_not_matter(seed: int) -> None:
    members = [_random(seed + 1_000 * index) for index in range(3)]
    parse = _random(seed)
    found = [
        consensus_features(parse, consensus_of(order), LABELS) for order in permutations(members)
    ]
    for other in found[1:]:
        assert other == pytest.approx(found[0], abs=1e-5, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 6))
def test_numpy_and_torch_give_the_same_numbers(seed: int, height: int, width: int) -> None:
    arrays = [_random(seed + 1_000 * index, height, width) for index in range(4)]
    ours = consensus_features(arrays[0], consensus_of(arrays[1:]), LABELS)
    tensors = [torch.from_numpy(array) for array in arrays]
    theirs = consensus_features(tensors[0], consensus_of(tensors[1:]), LABELS)
    assert theirs == pytest.approx(ours, abs=1e-5, nan_ok=True)
