"""Rates, by hand."""

from math import nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.detection.statistics import auroc, fill_unmeasured, interval, rate

CLEAN = np.array([0.0, 1.0, 2.0, 3.0])


def test_auroc_counts_how_often_an_attack_scores_higher() -> None:
    assert auroc(CLEAN, CLEAN + 10) == 1
    assert auroc(CLEAN, CLEAN - 10) == 0
    assert auroc(CLEAN, CLEAN) == 0.5
    assert auroc(CLEAN, np.array([2.5])) == 0.75


def test_a_score_at_the_threshold_is_found() -> None:
    assert rate(CLEAN, 2.0) == 0.5
    assert rate(CLEAN, 3.5) == rate(np.array([]), 0.0) == 0


def test_an_interval_narrows_with_more_pictures_and_repeats() -> None:
    few, many = (interval(np.tile(CLEAN, times), 2.0) for times in (5, 100))
    assert few.low <= many.low < 0.5 < many.high <= few.high
    assert interval(CLEAN, 2.0) == interval(CLEAN, 2.0)
    assert (interval(CLEAN, -1.0).low, interval(CLEAN, 9.0).high) == (1, 0)


@given(st.integers(1, 40), st.integers(0, 99))
def test_a_rate_lies_in_its_interval(count: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=count)
    found = interval(scores, 0.0)
    assert 0 <= found.low <= rate(scores, 0.0) <= found.high <= 1


def test_what_was_not_measured_is_the_lowest() -> None:
    assert fill_unmeasured(np.array([nan, 2.0, -1.0])).tolist() == [-1, 2, -1]
    assert fill_unmeasured(np.array([nan, nan])).tolist() == [0, 0]
