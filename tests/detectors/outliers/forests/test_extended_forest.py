"""The extended forest: its cuts are sloped, and its trees hold all rows of their samples."""

import numpy as np
import pytest

from detectors.outliers.forests.extended_forest import grow
from detectors.outliers.forests.isolation_forest import IsolationForestScorer
from detectors.outliers.forests.trees import average_path_length


def _two_groups() -> np.ndarray:
    random = np.random.default_rng(0)
    return np.vstack([random.normal((0, 10), 1, (300, 2)), random.normal((10, 0), 1, (300, 2))])


def test_the_shadows_of_two_groups_are_no_hiding_place() -> None:
    """The example of the paper: cuts along the axes score (0, 0) like a row of a group."""
    rows = _two_groups()
    places = np.array([[0.0, 0.0], [0.0, 10.0]])
    extended = grow(rows, np.random.default_rng(1)).score(places)
    axes = IsolationForestScorer.fit(rows, 1).scorer.score(places)
    assert extended[0] - extended[1] > 1.25 * (axes[0] - axes[1])


@pytest.mark.parametrize("rows", [2, 5, 24, 300])
def test_rows_of_a_sample_end_at_leaves_with_a_length(rows: int) -> None:
    matrix = np.random.default_rng(rows).normal(size=(rows, 3))
    trees = grow(matrix, np.random.default_rng(2))
    ended = trees.lengths.take(trees.walk.find_leaves(matrix))
    assert (ended > 0).all()
    # The mean length over trees grows with the logarithm of the sample.
    assert ended.mean() == pytest.approx(float(average_path_length(trees.sample)), rel=0.35)


def test_equal_rows_are_never_separated() -> None:
    trees = grow(np.ones((40, 3)), np.random.default_rng(3))
    ended = trees.lengths.take(trees.walk.find_leaves(np.ones((1, 3))))
    assert (ended >= average_path_length(40)).all()
