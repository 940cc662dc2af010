"""Shares of values in bins of the reference, and how far they moved."""

import numpy as np
import pytest

from detectors.drift.windows import (
    assign_bins,
    average_by_group,
    chance_index,
    count_shares,
    cut_bins,
    stability_index,
)


def test_bins_hold_equally_many_and_what_is_missing_has_one() -> None:
    values = np.append(np.arange(100.0), np.nan)
    edges = cut_bins(values)
    shares = count_shares(assign_bins(values, edges), len(edges) + 2)
    assert len(shares) == 11
    assert shares[:-1] == pytest.approx(0.099, abs=0.011)
    assert shares[-1] == pytest.approx(1 / 101, rel=1e-3)
    assert shares.sum() == pytest.approx(1)


def test_nothing_measured_has_one_bin() -> None:
    edges = cut_bins(np.full(5, np.nan))
    assert edges.size == 0
    assert assign_bins(np.full(5, np.nan), edges).tolist() == [1] * 5


def test_the_index_of_two_known_distributions() -> None:
    one, other = np.array([0.5, 0.5]), np.array([0.8, 0.2])
    assert stability_index(one, one) == 0
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    assert stability_index(one, other) == pytest.approx(expected)


def test_chance_alone_gives_the_stated_index() -> None:
    random = np.random.default_rng(0)
    indices = []
    for _ in range(200):
        before, now = random.normal(size=300), random.normal(size=500)
        edges = cut_bins(before)
        indices.append(
            stability_index(
                *(count_shares(assign_bins(each, edges), len(edges) + 2) for each in (before, now))
            )
        )
    # The edges follow the reference, so that its own part of the chance is missing at times.
    assert np.mean(indices) == pytest.approx(chance_index(300, 500), rel=0.25)


def test_a_group_has_one_value_and_none_without_a_measure() -> None:
    values = np.array([1.0, 3.0, np.nan, 5.0, np.nan])
    assert average_by_group(values, ["a", "a", "a", "b", "c"]).tolist() == [2.0, 5.0]
    assert average_by_group(np.full(2, np.nan), ["a", "b"]).size == 0
