"""Nearest neighbours: what a distance means, and how many rows are kept."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from detectors.outliers.nearest_neighbours import NearestNeighboursScorer
from detectors.outliers.nearest_search import NEAREST, NearestSearch


def test_a_score_is_the_mean_distance_to_the_five_nearest_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3))
    scorer = NearestNeighboursScorer.fit(rows, seed=1).scorer
    place = np.array([[1.0, 2.0, 3.0]])
    normal = scorer.normal
    distances = np.linalg.norm(normal.scale(rows) - normal.scale(place), axis=1)
    assert scorer.score(place)[0] == pytest.approx(np.sort(distances)[:5].mean())


def test_a_bounded_number_of_rows_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detectors.outliers.nearest_neighbours._MAX_REFERENCES", 40)
    rows = np.random.default_rng(0).normal(size=(100, 3))
    kept = [NearestNeighboursScorer.fit(rows, seed).scorer.references for seed in (1, 1, 2)]
    assert kept[0].shape == (40, 3)
    assert len(np.unique(kept[0], axis=0)) == 40
    assert np.array_equal(kept[0], kept[1])
    assert not np.array_equal(kept[0], kept[2])


def test_a_small_group_of_odd_rows_does_not_make_each_other_normal() -> None:
    """Fewer odd training rows than neighbours still lie far from most of the five nearest."""
    random = np.random.default_rng(0)
    rows = np.vstack([random.normal(size=(200, 3)), np.full((2, 3), 9.0)])
    fitted = NearestNeighboursScorer.fit(rows, seed=1)
    [odd] = fitted.scorer.score(np.full((1, 3), 9.0))
    assert odd > np.quantile(fitted.held_out_scores, 0.98)


def test_too_few_stored_rows_are_refused() -> None:
    scorer = NearestNeighboursScorer.fit(np.random.default_rng(0).normal(size=(30, 2)), 1).scorer
    with pytest.raises(ValueError, match="too few"):
        NearestNeighboursScorer.restore({**scorer.arrays(), "stored": scorer.references[:5]})


@pytest.mark.parametrize("count", [6, 9, 63, 400])
def test_the_nearest_are_those_that_comparing_all_finds(count: int) -> None:
    random = np.random.default_rng(2)
    points, rows = random.normal(size=(count, 20)), random.normal(size=(50, 20)) * 3
    expected = np.sort(cdist(rows, points), axis=1)[:, :NEAREST]
    assert NearestSearch.of(points).nearest(rows) == pytest.approx(expected)


def test_what_rounding_leaves_open_is_measured() -> None:
    """In float32 these points are one; in float64 they are not."""
    points = 50 + np.arange(100)[:, np.newaxis] * np.full((1, 4), 1e-7)
    nearest = NearestSearch.of(points).nearest(points[40:41])
    assert nearest[0] == pytest.approx(np.array([0, 2, 2, 4, 4, 6]) * 1e-7, abs=1e-12)


def test_equal_points_have_no_distance() -> None:
    assert (NearestSearch.of(np.full((30, 3), 7.7)).nearest(np.full((2, 3), 7.7)) == 0).all()
