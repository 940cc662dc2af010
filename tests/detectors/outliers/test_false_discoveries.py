"""Benjamini-Hochberg on conformal p-values, and what is done when they cannot carry a rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from detectors.outliers.false_discoveries import q_values, rows_needed, select_outliers

P_VALUES = st.lists(st.floats(1e-4, 1.0), min_size=1, max_size=60).map(np.array)


def lowest(count: int, rows: int) -> np.ndarray:
    return np.full(count, 1 / (rows + 1))


@given(P_VALUES)
def test_q_values_are_those_of_benjamini_and_hochberg(p_values: np.ndarray) -> None:
    assert q_values(p_values) == pytest.approx(false_discovery_control(p_values))


@given(P_VALUES, st.floats(1e-4, 1.0))
def test_a_bound_only_takes_away(p_values: np.ndarray, bound: float) -> None:
    bounded = q_values(p_values, bound)
    assert (bounded[p_values > bound] == 1).all()
    assert (bounded >= q_values(p_values) - 1e-12).all()


@given(P_VALUES)
def test_a_smaller_p_value_is_never_selected_later(p_values: np.ndarray) -> None:
    q = q_values(np.sort(p_values))
    assert (np.diff(q) >= 0).all()


def test_no_p_values_have_no_q_values() -> None:
    assert q_values(np.empty(0)).shape == (0,)
    assert not select_outliers(np.empty(0), np.empty(0), 0.1, 0.01, 40).outliers.any()


def test_equal_p_values_are_selected_together_or_not_at_all() -> None:
    ties = np.concatenate([np.full(20, 1 / 1000), np.linspace(0.2, 1, 180)])
    assert select_outliers(ties, lowest(200, 999), 0.1, 0.01, 999).outliers.sum() == 20
    assert select_outliers(ties[19:], lowest(181, 999), 0.1, 0.01, 999).outliers.sum() == 0


def test_one_in_a_hundred_takes_so_many_vetted_requests() -> None:
    assert rows_needed(1_000, 0.1, expected=10) == 999
    assert rows_needed(1_000_000, 0.1) == 999
    assert rows_needed(1_000, 0.05) == 1999
    assert rows_needed(10, 0.1) == 99


def test_too_few_vetted_requests_promise_nothing_and_still_name_what_lies_beyond() -> None:
    p_values = np.array([1 / 41, 1 / 41, 0.3, 0.7, 0.9])
    selection = select_outliers(p_values, lowest(5, 40), 0.05, 1 / 41, 40)
    assert not selection.is_promised
    assert selection.outliers.tolist() == [True, True, False, False, False]
    alone = select_outliers(np.repeat(p_values, 20), lowest(100, 40), 0.01, 1 / 41, 40)
    assert alone.outliers.sum() == 40
    assert alone.q_values.min() > 0.01


def test_what_few_vetted_requests_select_at_the_rate_is_promised() -> None:
    p_values = np.array([1 / 41, 1 / 41, 0.3, 0.7, 0.9])
    selection = select_outliers(p_values, lowest(5, 40), 0.1, 1 / 41, 40)
    assert selection.is_promised
    assert selection.outliers.tolist() == [True, True, False, False, False]
    nothing = select_outliers(np.repeat(p_values[2:], 5), lowest(15, 40), 0.1, 1 / 41, 40)
    assert not nothing.is_promised


def test_enough_vetted_requests_select_only_at_the_rate() -> None:
    p_values = np.concatenate([[1 / 1000], np.linspace(0.01, 1, 999)])
    selection = select_outliers(p_values, lowest(1000, 999), 0.1, 0.01, 999)
    assert selection.is_promised
    assert not selection.outliers.any()


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_the_realised_rate_is_no_more_than_the_stated_one(share: float) -> None:
    random, proportions = np.random.default_rng(3), []
    for _ in range(100):
        calibration = np.sort(random.normal(size=2000))
        scores = random.normal(size=1000)
        scores[: int(1000 * share)] += 6
        higher = 2000 - np.searchsorted(calibration, scores)
        outliers = select_outliers((1 + higher) / 2001, lowest(1000, 2000), 0.1, 0.01, 2000)
        chosen = outliers.outliers
        false = chosen[int(1000 * share) :].sum()
        proportions.append(false / max(1, chosen.sum()))
    # Three standard errors above what is stated.
    assert np.mean(proportions) <= 0.1 + 3 * np.std(proportions) / 10
