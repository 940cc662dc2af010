"""All three models at once: the mean of how surprising each of them finds a row.

Half of the say belongs to distances and half to forests: both forests find the same rows odd.
Forests hardly mind a few anomalies among the training rows. For distances they are fatal, since
anomalies are often near to each other: what a forest finds odd is not stored for them. The rows say
how much that is: what lies beyond Tukey's fence, which is little of clean rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.base import FitResult, Scorer, folds
from detectors.outliers.forests.extended_forest import ExtendedForestScorer
from detectors.outliers.forests.isolation_forest import IsolationForestScorer
from detectors.outliers.nearest_neighbours import NearestNeighboursScorer
from detectors.outliers.preparation import Arrays, Matrix, Normal, Vector
from detectors.outliers.surprise import Surprise

_MEMBERS: dict[str, type[Scorer]] = {
    "isolation_forest": IsolationForestScorer,
    "extended_forest": ExtendedForestScorer,
    "nearest_neighbours": NearestNeighboursScorer,
}
_WEIGHTS = (0.25, 0.25, 0.5)
# How many interquartile ranges above the upper quartile a score of a forest is an odd one (Tukey).
_FENCE = 1.5


@dataclass(frozen=True, eq=False)
class CombinedScorer:
    """One scorer of each other kind.

    Attributes:
        surprises: the scale of each member, of its held-out scores.
    """

    members: tuple[Scorer, ...]
    surprises: tuple[Surprise, ...]

    @property
    def normal(self) -> Normal:
        """See ``Scorer``."""
        return self.members[0].normal

    @classmethod
    def fit(cls, rows: Matrix, seed: int) -> "FitResult[CombinedScorer]":
        """Fit on ``(n, features)`` rows; see ``Scorer``."""
        fits = [member.fit(rows, seed) for member in _MEMBERS.values()]
        odd = np.any([_lie_beyond_fence(each.held_out_scores) for each in fits[:-1]], axis=0)
        fits[-1] = _fit_without(type(fits[-1].scorer), rows, odd, seed)
        all_scores = [each.held_out_scores for each in fits]
        surprises = tuple(Surprise.among(scores) for scores in all_scores)
        scorer = CombinedScorer(tuple(each.scorer for each in fits), surprises)
        return FitResult(scorer, _held_out_mean(all_scores, seed))

    def score(self, rows: Matrix) -> Vector:
        """Mean surprise of the members, in nats."""
        return _mean(self.surprises, [member.score(rows) for member in self.members])

    def arrays(self) -> Arrays:
        """See ``Scorer``; the name of a member stands before those of its arrays."""
        return {
            f"{name}.{inner}": array
            for name, member, surprise in zip(_MEMBERS, self.members, self.surprises, strict=True)
            for inner, array in {**member.arrays(), **surprise.arrays()}.items()
        }

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """See ``Scorer``."""
        parts = [_part(arrays, name) for name in _MEMBERS]
        members = [kind.restore(part) for kind, part in zip(_MEMBERS.values(), parts, strict=True)]
        if len({len(member.normal.centre) for member in members}) != 1:
            raise ValueError("members of different features")
        return cls(tuple(members), tuple(Surprise.restore(part) for part in parts))


def _lie_beyond_fence(scores: Vector) -> npt.NDArray[np.bool_]:
    """Which scores are far above the others, at most a quarter."""
    low, high = np.quantile(scores, [0.25, 0.75])
    return np.asarray(scores > high + _FENCE * (high - low))


def _fit_without(
    member: type[Scorer], rows: Matrix, odd: npt.NDArray[np.bool_], seed: int
) -> FitResult[Scorer]:
    """A member that did not learn from odd rows, and scores them as it scores new ones."""
    result = member.fit(rows[~odd], seed)
    scores = np.empty(len(rows))
    scores[~odd], scores[odd] = result.held_out_scores, result.scorer.score(rows[odd])
    return FitResult(result.scorer, scores)


def _part(arrays: Arrays, member: str) -> Arrays:
    prefix = f"{member}."
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _mean(surprises: Sequence[Surprise], scores: Sequence[Vector]) -> Vector:
    terms = [
        weight * surprise.of(values)
        for weight, surprise, values in zip(_WEIGHTS, surprises, scores, strict=True)
    ]
    return np.asarray(sum(terms))


def _held_out_mean(scores: Sequence[Vector], seed: int) -> Vector:
    """Mean surprises ``(n,)``; the scale for a row is made without the scores of its fold."""
    mean = np.empty(len(scores[0]))
    for others, fold in folds(len(mean), seed):
        surprises = [Surprise.among(values[others]) for values in scores]
        mean[fold] = _mean(surprises, [values[fold] for values in scores])
    return mean
