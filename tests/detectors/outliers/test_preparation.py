"""Where normal rows lie: medians, spreads and the scale that models compare on."""

from math import e, nan
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from detectors.outliers.preparation import Normal, check_array


def test_centre_and_spread_are_median_and_interquartile_range() -> None:
    rows = np.array([[0.0, nan], [1.0, 10.0], [2.0, nan], [3.0, 20.0], [4.0, 30.0]])
    normal = Normal.of(rows)
    assert normal.centre.tolist() == [2.0, 20.0]
    assert normal.spread.tolist() == [2.0, 10.0]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_quartiles_are_those_of_what_was_measured(share: float) -> None:
    random = np.random.default_rng(5)
    rows = random.normal(size=(41, 6))
    rows[random.random(rows.shape) < share * (np.arange(6) % 2)] = nan
    measured = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
    low, centre, high = np.nanpercentile(measured, [25, 50, 75], axis=0)
    normal = Normal.of(rows)
    assert (normal.centre == centre).all()
    usual = high > low
    assert (normal.spread[usual] == (high - low)[usual]).all()


def test_a_column_of_which_most_values_are_equal_is_measured_by_its_deviation() -> None:
    column = np.array([0.0] * 90 + [5.0] * 10)
    [spread] = Normal.of(column[:, np.newaxis]).spread
    assert spread == pytest.approx(1.349 * 1.5)


@pytest.mark.parametrize(("value", "spread"), [(0.0, 1e-3), (5.0, 0.05), (-200.0, 2.0)])
def test_a_constant_column_has_a_spread_of_a_hundredth(value: float, spread: float) -> None:
    assert Normal.of(np.full((9, 1), value)).spread.tolist() == [spread]


def test_a_column_without_values_lies_at_zero() -> None:
    normal = Normal.of(np.full((9, 1), nan))
    assert (normal.centre.tolist(), normal.spread.tolist()) == ([0.0], [1e-3])


def test_distances_grow_like_a_logarithm_and_keep_their_sign() -> None:
    normal = Normal(np.array([10.0]), np.array([2.0]), np.zeros(1))
    rows = np.array([[10.0], [nan], [10 + 2 * (e - 1)], [10 - 2 * (e - 1)]])
    assert normal.scale(rows)[:, 0] == pytest.approx([0.0, 0.0, 1.0, -1.0])
    assert np.isfinite(normal.scale(np.array([[1.7e308], [-np.inf]]))).all()


@pytest.mark.parametrize(
    "array",
    [
        np.ones(2),
        np.ones((1, 1)),
        np.ones(1, np.float32),
        np.array([nan]),
        np.array([-np.inf]),
        np.array([2e31]),
    ],
)
def test_other_arrays_than_expected_are_refused(array: npt.NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"array|fit"):
        check_array(array, np.float64, (1,))


def test_a_value_that_few_rows_have_counts_from_where_it_is_unusual() -> None:
    rows = np.full((200, 2), nan)
    rows[:, 0] = np.arange(200)
    rows[:40, 1] = np.arange(40)
    normal = Normal.of(rows)
    assert normal.centre[1] == 19.5
    assert normal.slack == pytest.approx([0.0, 18.5], abs=1.1)
    assert normal.distances(np.array([[nan, 25.0], [nan, nan]]))[:, 1].tolist() == [0, 0]
    far = normal.fill(np.array([[nan, 119.5], [nan, -80.5]]))[:, 1]
    assert far == pytest.approx([19.5 + 100 - normal.slack[1], 19.5 - 100 + normal.slack[1]])
    assert normal.whole_distances(np.array([[nan, 119.5]]))[0, 1] == 100 / normal.spread[1]


def test_a_slack_below_zero_is_refused() -> None:
    arrays = {"centre": np.zeros(1), "spread": np.ones(1), "slack": -np.ones(1)}
    with pytest.raises(ValueError, match="below 0"):
        Normal.restore(arrays)


@pytest.mark.parametrize("spread", [0.0, 1e-9, -1.0])
def test_a_spread_that_no_fit_gives_is_refused(spread: float) -> None:
    with pytest.raises(ValueError, match="too small"):
        Normal.restore({"centre": np.zeros(1), "spread": np.array([spread])})
