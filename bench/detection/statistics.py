"""Rates with a threshold that was fixed elsewhere, and how sure they are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

Scores = npt.NDArray[np.float64]
_RESAMPLES = 2000
_SEED = 7


@dataclass(frozen=True)
class Interval:
    """A bootstrap interval of 95 per cent (Efron, Annals of Statistics 1979)."""

    low: float
    high: float


def auroc(clean: Scores, attacks: Scores) -> float:
    """Area under the ROC curve: how often an attack scores higher than a clean picture."""
    truth = np.concatenate([np.zeros(len(clean)), np.ones(len(attacks))])
    return float(roc_auc_score(truth, np.concatenate([clean, attacks])))


def rate(scores: Scores, threshold: float) -> float:
    """Share of scores at or above a threshold."""
    return float((scores >= threshold).mean()) if len(scores) else 0.0


def interval(scores: Scores, threshold: float) -> Interval:
    """Of the rate, over resampled pictures."""
    random = np.random.default_rng(_SEED)
    detections = (scores >= threshold).astype(np.float64)
    picks = random.integers(len(detections), size=(_RESAMPLES, len(detections)))
    low, high = np.quantile(detections[picks].mean(axis=1), (0.025, 0.975))
    return Interval(float(low), float(high))


def fill_unmeasured(scores: Scores) -> Scores:
    """What was not measured is nothing unusual: the lowest score."""
    least = float(np.nanmin(scores)) if np.isfinite(scores).any() else 0.0
    return np.where(np.isnan(scores), least, scores)
