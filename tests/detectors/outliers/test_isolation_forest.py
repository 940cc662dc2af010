"""The compiled forest gives scikit-learn's scores, also for archives of the first version."""

from collections.abc import Callable
from hashlib import sha256

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from detectors.outliers.isolation_forest import compiled
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix
from detectors.outliers.trees import Trees


@pytest.mark.parametrize("rows", [2, 3, 24, 256, 1000])
def test_the_scores_are_those_of_scikit_learn(rows: int) -> None:
    random = np.random.default_rng(rows)
    train = random.normal(size=(rows, 4)).astype(np.float32)
    train[:, 3] = random.integers(0, 3, rows)
    test = random.normal(scale=3, size=(300, 4)).astype(np.float32)
    test[:50] = train[random.integers(0, rows, 50)]
    forest = IsolationForest(n_estimators=50, random_state=1).fit(train)
    found = compiled(forest).score(test.astype(np.float64))
    assert found == pytest.approx(-forest.score_samples(test), abs=1e-12)


def test_a_value_at_a_threshold_goes_the_way_it_goes_in_scikit_learn() -> None:
    train = np.random.default_rng(0).normal(size=(100, 1))
    forest = IsolationForest(n_estimators=20, random_state=1).fit(train)
    thresholds = np.concatenate([tree.tree_.threshold for tree in forest.estimators_])
    rows = thresholds[:, np.newaxis].astype(np.float32)
    found = compiled(forest).score(rows.astype(np.float64))
    assert found == pytest.approx(-forest.score_samples(rows), abs=1e-12)


def test_an_archive_of_the_first_version_can_be_read(
    normal_rows: Callable[..., Matrix],
) -> None:
    rows = normal_rows(60, seed=1)
    rows[3, 1] = np.nan
    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    pipeline = make_pipeline(imputer, IsolationForest(n_estimators=20, random_state=3)).fit(rows)
    state = {
        "names": list("abcde"),
        "forest": pipeline,
        "calibration": np.linspace(0.3, 0.7, 60),
        "centre": np.nanmedian(rows, axis=0),
        "spread": np.full(5, 2.0),
    }
    data = skops.io.dumps(state)
    model = OutlierModel.loads(data, sha256(data).hexdigest())
    assert model.kind is OutlierKind.ISOLATION_FOREST
    assert model.names == tuple("abcde")
    assert model.score(rows) == pytest.approx(-pipeline.score_samples(rows), abs=1e-9)
    again = model.dumps()
    loaded = OutlierModel.loads(again, sha256(again).hexdigest())
    assert np.array_equal(loaded.score(rows), model.score(rows))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample", 1),
        ("sample", 10**9),
        ("sample", 8.0),
        ("sample", "8"),
        ("features", np.full((1, 2, 7), 5, np.int32)),
        ("features", np.full((1, 2, 7), -1, np.int32)),
        ("features", np.zeros((0, 2, 7), np.int32)),
        ("features", np.zeros((1, 2, 7))),
        ("weights", np.zeros((1, 2, 7))),
        ("offsets", np.zeros((2, 6))),
        ("offsets", np.full((2, 7), np.nan)),
        ("lengths", np.zeros((2, 7))),
        ("lengths", [0.0] * 16),
    ],
)
def test_trees_that_no_fit_makes_are_refused(name: str, value: object) -> None:
    state = {**Trees.blank(1, 2, 8).state(), name: value}
    with pytest.raises(ValueError, match=r"not|column|NaN"):
        Trees.restore(state, columns=5)
