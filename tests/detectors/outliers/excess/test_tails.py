"""The tails of clean rows say no more than so many rows can."""

import numpy as np
import pytest

from detectors.outliers.excess.tails import Tail


@pytest.mark.parametrize("rows", [30, 100, 1_000])
def test_new_clean_rows_exceed_a_surprise_as_rarely_as_it_says(rows: int) -> None:
    random, nats = np.random.default_rng(rows), []
    for _ in range(4_000):
        tail = Tail.among(random.exponential(2.0, rows))
        nats.append(tail.surprise(random.exponential(2.0, 20)))
    for surprise in (3.0, 5.0, 7.0):
        expected = np.exp(-surprise)
        # Three standard errors of 80,000 rows, generously taken: those of a tail belong together.
        assert np.mean(np.array(nats) > surprise) <= 1.2 * expected + 3 * np.sqrt(expected / 8e4)


def test_of_many_rows_it_is_the_exponential_tail() -> None:
    tail = Tail.among(np.random.default_rng(1).exponential(2.0, 200_000))
    assert tail.surprise(np.array([20.0])) == pytest.approx(10.0, abs=0.2)


def test_nobody_above_is_as_surprising_as_there_are_rows() -> None:
    few, many = (Tail.among(np.zeros(rows)).surprise(np.array([0.0, 1e-9])) for rows in (99, 999))
    assert few == pytest.approx([0.0, np.log(100)])
    assert many == pytest.approx([0.0, np.log(1_000)])


def test_a_larger_value_surprises_more_and_what_was_not_measured_nobody() -> None:
    tail = Tail.among(np.append(np.zeros(600), [1.0, np.nan]))
    one, five, seven, missing = tail.surprise(np.array([1.0, 5.0, 7.0, np.nan]))
    assert 5 < one < five < seven < 10
    assert missing == 0
