from math import isnan, log

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.model_features import model_features
from detectors.parsing import Parsing
from detectors.reductions import entropy_map
from detectors.registry import FeatureVector

LABELS = ("background", "face", "hair", "pants")


def _parsing(probabilities: object) -> Parsing:
    return Parsing(probabilities, np.zeros((2, 2), dtype=np.uint8), LABELS)


def _random(seed: int, height: int = 5, width: int = 7) -> npt.NDArray[np.float32]:
    raw = np.random.default_rng(seed).exponential(size=(len(LABELS), height, width)) ** 3
    return np.asarray(raw / raw.sum(axis=0), dtype=np.float32)


def test_a_sure_model_has_no_entropy_and_full_margin() -> None:
    sure = np.zeros((4, 2, 2), dtype=np.float32)
    sure[1] = 1
    found = model_features(_parsing(sure))
    assert found["entropy_mean"] == pytest.approx(0, abs=1e-6)
    assert (found["margin_mean"], found["max_softmax_mean"]) == (1, 1)
    assert (found["foreground_share"], found["confidence_face"]) == (1, 1)


def test_a_clueless_model_has_full_entropy_and_no_margin() -> None:
    found = model_features(_parsing(np.full((4, 3, 3), 0.25, dtype=np.float32)))
    assert found["entropy_mean"] == pytest.approx(log(4))
    assert found["entropy_p95"] == pytest.approx(log(4))
    assert (found["margin_mean"], found["max_softmax_mean"]) == (0, 0.25)


def test_each_part_group_has_its_own_confidence() -> None:
    columns = np.array(
        [[0.9, 0.1, 0, 0], [0.2, 0.8, 0, 0], [0.3, 0, 0, 0.7], [0, 0.4, 0, 0.6]], dtype=np.float32
    )
    found = model_features(_parsing(columns.T.reshape(4, 2, 2)))
    assert found["confidence_face"] == pytest.approx(0.8)
    assert found["confidence_clothes"] == pytest.approx(0.65)
    assert found["foreground_share"] == 0.75
    assert isnan(found["confidence_hair"])
    assert isnan(found["confidence_feet"])


def test_without_foreground_its_entropy_is_not_measured() -> None:
    background = np.zeros((4, 2, 2), dtype=np.float32)
    background[0] = 1
    found = model_features(_parsing(background))
    assert found["foreground_share"] == 0
    assert isnan(found["entropy_foreground"])


def test_the_95th_percentile_is_the_lower_empirical_one() -> None:
    probabilities = np.zeros((4, 1, 100), dtype=np.float32)
    probabilities[0] = 1
    probabilities[:, 0, :5] = 0.25
    assert model_features(_parsing(probabilities))["entropy_p95"] == pytest.approx(0, abs=1e-6)
    probabilities[:, 0, 5] = 0.25
    assert model_features(_parsing(probabilities))["entropy_p95"] == pytest.approx(log(4))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_margin_and_largest_are_those_of_sorted_probabilities(seed: int) -> None:
    probabilities = _random(seed)
    ordered = np.sort(probabilities, axis=0)
    found = model_features(_parsing(probabilities))
    assert found["margin_mean"] == float(np.mean(ordered[-1] - ordered[-2]))
    assert found["max_softmax_mean"] == float(np.mean(ordered[-1]))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_numpy_and_torch_give_the_same_numbers(seed: int, height: int, width: int) -> None:
    probabilities = _random(seed, height, width)
    ours = model_features(_parsing(probabilities))
    theirs = model_features(_parsing(torch.from_numpy(probabilities)))
    assert theirs == pytest.approx(ours, abs=1e-5, nan_ok=True)
    FeatureVector.of(ours)


def test_the_entropy_map_has_one_value_per_pixel() -> None:
    entropies = entropy_map(_random(0))
    assert entropies.shape == (5, 7)
    assert 0 <= entropies.min() <= entropies.max() <= log(4) + 1e-6
