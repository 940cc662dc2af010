"""The fit of a re-ranker: logistic regression, strongly regularised, since labels are few."""

import numpy as np

from detectors.outliers.preparation import Matrix, Vector
from detectors.ranking.labels import Labels
from detectors.ranking.reranker import Reranker

# The penalty on squared weights is as strong as two labels that are against each of them.
_STRENGTH = 0.25
_SMALLEST_SCALE = 1e-9


def fit_reranker(labels: Labels, basis: str) -> Reranker:
    """Fit on labels of both answers, which weigh the same however many each has."""
    # A training is rare, and nothing else of this process needs the library.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    weights = _balance(labels)
    centre, scale = _measure_columns(labels.rows, weights)
    plain = Reranker(basis, centre, scale, np.zeros(len(centre)))
    model = LogisticRegression(C=_STRENGTH, max_iter=1_000)
    model.fit(plain.standardise(labels.rows), labels.attacks, sample_weight=weights)
    return Reranker(basis, centre, scale, np.asarray(model.coef_[0], np.float64))


def _balance(labels: Labels) -> Vector:
    """Weights whose sum stays, half of it on each answer."""
    attack_sum = labels.weights[labels.attacks].sum()
    other_sum = labels.weights[~labels.attacks].sum()
    half = (attack_sum + other_sum) / 2
    balance = np.where(labels.attacks, half / attack_sum, half / other_sum)
    return np.asarray(balance * labels.weights)


def _measure_columns(rows: Matrix, weights: Vector) -> tuple[Vector, Vector]:
    """Mean and deviation of what was measured in each column."""
    measured = ~np.isnan(rows)
    mass = np.where(measured, weights[:, np.newaxis], 0.0)
    total = np.maximum(mass.sum(axis=0), _SMALLEST_SCALE)
    values = np.where(measured, rows, 0.0)
    centre = (mass * values).sum(axis=0) / total
    spread = np.sqrt((mass * np.square(values - centre)).sum(axis=0) / total)
    return centre, np.where(spread > _SMALLEST_SCALE, spread, 1.0)
