"""How long a score takes, against scikit-learn's isolation forest in the same run."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.ensemble import IsolationForest

from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix
from detectors.registry import FITTED_NAMES

_TRAINED, _BATCH = 5_000, 1_000
_SINGLE_ROUNDS, _BATCH_ROUNDS = 200, 7
_TREES = 200
PEER = "scikit_learn"
Score = Callable[[Matrix], object]


def measure_speed() -> dict[str, dict[str, float]]:
    """Medians and ratios for made-up rows with as many columns as there are fitted features."""
    random = np.random.default_rng(0)
    train, test = (random.normal(size=(rows, len(FITTED_NAMES))) for rows in (_TRAINED, _BATCH))
    forest = IsolationForest(n_estimators=_TREES, random_state=0).fit(train)
    models = {kind.value: OutlierModel.fit(kind, train, FITTED_NAMES, 0) for kind in OutlierKind}
    single = {name: _one_row(model) for name, model in models.items()}
    batch = {name: model.score for name, model in models.items()}
    one = _medians({**single, PEER: forest.score_samples}, test, 1, _SINGLE_ROUNDS)
    many = _medians({**batch, PEER: forest.score_samples}, test, _BATCH, _BATCH_ROUNDS)
    return {
        "one_row_ms": one,
        "one_row_times_faster": _ratios(one),
        "batch_ms": many,
        "batch_times_faster": _ratios(many),
    }


def _one_row(model: OutlierModel) -> Score:
    return lambda rows: model.score_one(rows[0])


def _medians(sides: Mapping[str, Score], rows: Matrix, size: int, rounds: int) -> dict[str, float]:
    """Milliseconds of a call; all sides take turns, so that other load hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds):
        first = turn * size % len(rows)
        for name, score in sides.items():
            start = perf_counter()
            score(rows[first : first + size])
            times[name].append((perf_counter() - start) * 1000)
    return {name: median(each) for name, each in times.items()}


def _ratios(times: Mapping[str, float]) -> dict[str, float]:
    return {name: times[PEER] / each for name, each in times.items() if name != PEER}
