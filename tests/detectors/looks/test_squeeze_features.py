"""Squeezes and patches on arrays of a few pixels, by hand, in numpy and in torch."""

from collections.abc import Callable
from math import isnan, log
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.looks.squeeze_features import (
    divergence,
    divergence_map,
    patch_consistency,
    squeeze_features,
)
from detectors.registry import FeatureVector

BACKENDS: list[Callable[[Any], Any]] = [np.asarray, torch.asarray]
seeds = st.integers(0, 999)


def _one_hot(label_map: list[list[int]]) -> npt.NDArray[np.float32]:
    channels = np.eye(3, dtype=np.float32)[np.array(label_map)]
    return np.ascontiguousarray(channels.transpose(2, 0, 1))


def _random(seed: int) -> npt.NDArray[np.float32]:
    raw = np.random.default_rng(seed).exponential(size=(3, 4, 5)) ** 3
    return np.asarray(raw / raw.sum(axis=0), dtype=np.float32)


@pytest.mark.parametrize("backend", BACKENDS)
def test_opposite_certainties_are_ln_two_apart(backend: Callable[[Any], Any]) -> None:
    first, second = backend(_one_hot([[1, 1]])), backend(_one_hot([[1, 2]]))
    assert np.asarray(divergence_map(first, second))[0] == pytest.approx([0, log(2)], abs=1e-6)
    assert divergence(first, second) == pytest.approx(log(2) / 2, abs=1e-6)


def test_divergence_is_measured_where_either_sees_foreground() -> None:
    first, second = _one_hot([[0, 0, 0, 1]]), _one_hot([[0, 0, 2, 1]])
    assert divergence(first, second) == pytest.approx(log(2) / 2, abs=1e-6)
    assert isnan(divergence(_one_hot([[0]]), _one_hot([[0]])))


@settings(max_examples=40, deadline=None)
@given(seeds, seeds)
def test_divergence_is_symmetric_and_bounded(one: int, other: int) -> None:
    first, second = _random(one), _random(other)
    there, back = divergence_map(first, second), divergence_map(second, first)
    assert there == pytest.approx(back, abs=1e-6)
    assert (there >= 0).all()
    assert (there <= log(2)).all()
    assert divergence_map(first, first) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_squeeze_has_its_divergence_and_the_largest_appearance_counts(
    backend: Callable[[Any], Any],
) -> None:
    parse = backend(_one_hot([[1, 0, 0, 0]]))
    squeezed = {
        "jpeg": backend(_one_hot([[1, 0, 0, 0]])),
        "median": backend(_one_hot([[1, 1, 2, 0]])),
    }
    found = squeeze_features(parse, squeezed)
    assert found["js_jpeg"] == pytest.approx(0, abs=1e-6)
    assert found["js_median"] == pytest.approx(2 * log(2) / 3, abs=1e-6)
    assert found["hidden_squeeze_share"] == 0.5
    FeatureVector.of(found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_patches_agree_label_by_label(backend: Callable[[Any], Any]) -> None:
    """Label 0 overlaps by 1 of 2 pixels, label 1 by 2 of 3; label 2 is in neither."""
    first, second = backend(_one_hot([[0, 1, 1, 1]])), backend(_one_hot([[0, 0, 1, 1]]))
    assert patch_consistency(first, second) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert patch_consistency(first, first) == 1
