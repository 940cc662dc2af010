"""The forest gives scikit-learn's scores, without scikit-learn once it was fitted."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.ensemble import IsolationForest

from detectors.outliers.forests.scikit_forest import compile_trees, grow
from detectors.outliers.forests.trees import Trees
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix, Normal


def _compile_forest(forest: IsolationForest) -> Trees:
    return compile_trees([each.tree_ for each in forest.estimators_], forest.max_samples_)


@pytest.mark.parametrize("rows", [2, 3, 24, 256, 1000])
@pytest.mark.parametrize("columns", [1, 7, 60])
def test_the_trees_are_those_of_scikit_learn(rows: int, columns: int) -> None:
    train = np.random.default_rng(rows).normal(size=(rows, columns))
    train[:, 0] = np.round(train[:, 0])
    wanted = _compile_forest(IsolationForest(n_estimators=20, random_state=7).fit(train)).arrays()
    grown = grow(train, 20, 7).arrays()
    assert grown.keys() == wanted.keys()
    for name, array in wanted.items():
        assert np.array_equal(grown[name], array), name


@pytest.mark.parametrize("rows", [2, 3, 24, 256, 1000])
def test_the_scores_are_those_of_scikit_learn(rows: int) -> None:
    random = np.random.default_rng(rows)
    train = random.normal(size=(rows, 4)).astype(np.float32)
    train[:, 3] = random.integers(0, 3, rows)
    test = random.normal(scale=3, size=(300, 4)).astype(np.float32)
    test[:50] = train[random.integers(0, rows, 50)]
    forest = IsolationForest(n_estimators=50, random_state=1).fit(train)
    found = _compile_forest(forest).score(test.astype(np.float64))
    assert found == pytest.approx(-forest.score_samples(test), abs=1e-12)


def test_a_value_at_a_threshold_goes_the_way_it_goes_in_scikit_learn() -> None:
    train = np.random.default_rng(0).normal(size=(100, 1))
    forest = IsolationForest(n_estimators=20, random_state=1).fit(train)
    thresholds = np.concatenate([tree.tree_.threshold for tree in forest.estimators_])
    rows = thresholds[:, np.newaxis].astype(np.float32)
    found = _compile_forest(forest).score(rows.astype(np.float64))
    assert found == pytest.approx(-forest.score_samples(rows), abs=1e-12)


def test_a_loaded_model_scores_as_scikit_learn_does(normal_rows: Callable[..., Matrix]) -> None:
    train, test = normal_rows(300, seed=1), normal_rows(200, seed=2)
    train[3, 1] = test[7, 0] = np.nan
    archive = OutlierModel.fit(OutlierKind.ISOLATION_FOREST, train, tuple("abcde"), seed=3).dumps()
    loaded = OutlierModel.loads(archive, sha256(archive).hexdigest())
    fill = Normal.of(train).fill
    peer = IsolationForest(n_estimators=200, random_state=3).fit(fill(train))
    assert loaded.score(test) == pytest.approx(-peer.score_samples(fill(test)), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample", np.array(1)),
        ("sample", np.array(10**9)),
        ("sample", np.array(8.0)),
        ("sample", np.array([8])),
        ("features", np.full((1, 2, 7), 5, np.int32)),
        ("features", np.full((1, 2, 7), -1, np.int32)),
        ("features", np.full((1, 2, 7), -(2**31), np.int32)),
        ("features", np.zeros((0, 2, 7), np.int32)),
        ("features", np.zeros((2, 2, 7), np.int32)),
        ("features", np.zeros((1, 0, 7), np.int32)),
        ("features", np.zeros((1, 1_001, 7), np.int32)),
        ("features", np.zeros((1, 2, 7))),
        ("weights", np.zeros((1, 2, 7))),
        ("offsets", np.zeros((2, 6))),
        ("offsets", np.zeros((2, 7), np.int32)),
        ("offsets", np.full((2, 7), np.nan)),
        ("offsets", np.full((2, 7), -np.inf)),
        ("lengths", np.zeros((2, 7))),
        ("lengths", np.full((2, 8), np.inf)),
        ("lengths", np.full((2, 8), -1.0)),
    ],
)
def test_trees_that_no_fit_makes_are_refused(name: str, value: npt.NDArray[Any]) -> None:
    arrays = {**Trees.blank(1, 2, 8).arrays(), name: value}
    with pytest.raises(ValueError, match=r"not|column|no fit|no trees|no steps"):
        Trees.restore(arrays, terms=1, columns=5)
