"""Surprise: a common scale for the scores of different models."""

from math import log

import numpy as np
import pytest

from detectors.outliers.surprise import Surprise


def test_within_normal_scores_it_is_the_logarithm_of_their_share() -> None:
    surprise = Surprise.among(np.array([3.0, 1.0, 2.0, 2.0]))
    found = surprise.of(np.array([0.0, 1.0, 2.0, 3.0]))
    assert found == pytest.approx([-log(4 / 5), -log(4 / 5), -log(3 / 5), -log(1 / 5)])


def test_it_goes_on_beyond_the_highest_normal_score() -> None:
    surprise = Surprise.among(np.random.default_rng(0).exponential(size=500))
    found = surprise.of(np.array([surprise.knots[-1], 20.0, 200.0, 1e30]))
    assert found[0] == pytest.approx(log(501))
    assert (np.diff(found) > 1).all()
    assert np.isfinite(found).all()


def test_a_higher_score_is_never_less_surprising() -> None:
    surprise = Surprise.among(np.random.default_rng(1).normal(size=50))
    assert (np.diff(surprise.of(np.linspace(-5, 5, 400))) >= 0).all()


@pytest.mark.parametrize("score", [0.0, 0.5])
def test_equal_scores_have_a_finite_scale(score: float) -> None:
    surprise = Surprise.among(np.full(9, score))
    assert np.isfinite(surprise.of(np.array([score - 1, score, score + 1]))).all()
    assert surprise.of(np.array([score]))[0] < surprise.of(np.array([score + 1]))[0]


def test_an_empty_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="no scores"):
        Surprise.restore({"scores": np.empty(0)})
