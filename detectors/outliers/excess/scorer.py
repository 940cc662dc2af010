"""Odd in any way, or more than expected of what attacks raise: the largest surprise.

A forest alone finds rare photos before attacks, which differ in few features and in one direction.
A mean of surprises would hide an attack that shows in one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.outliers.base import FitResult, folds
from detectors.outliers.excess.signs import Places
from detectors.outliers.excess.surprises import Surprises, join_surprises
from detectors.outliers.forests.isolation_forest import IsolationForestScorer
from detectors.outliers.preparation import Arrays, Matrix, Normal, Vector
from detectors.outliers.surprise import Surprise

_FOREST = "forest."


@dataclass(frozen=True, eq=False)
class ExcessScorer:
    """A forest with the scale of its scores, and signs of attacks."""

    forest: IsolationForestScorer
    oddness: Surprise
    signs: Surprises

    @property
    def normal(self) -> Normal:
        """See ``Scorer``."""
        return self.forest.normal

    @classmethod
    def fit(cls, rows: Matrix, seed: int, names: Sequence[str] = ()) -> FitResult[Self]:
        """Fit on ``(n, features)`` rows; see ``Scorer``.

        Args:
            names: of the features; without them nothing is known to be raised by attacks.
        """
        forest, places = IsolationForestScorer.fit(rows, seed), Places.among(names, rows)
        # The scale only keeps the order of what other rows gave; signs are fitted to their own.
        oddness, scores = Surprise.among(forest.held_out_scores), np.empty(len(rows))
        odd = oddness.of(forest.held_out_scores)
        for others, fold in folds(len(rows), seed):
            signs = Surprises.among(rows[others], places)
            scores[fold] = join_surprises([odd[fold], *signs.of(rows[fold])])
        return FitResult(cls(forest.scorer, oddness, Surprises.among(rows, places)), scores)

    def score(self, rows: Matrix) -> Vector:
        """The largest surprise, in nats, and a hundredth of all together."""
        return join_surprises([self.oddness.of(self.forest.score(rows)), *self.signs.of(rows)])

    def arrays(self) -> Arrays:
        """See ``Scorer``; what belongs to the forest says so."""
        forest = {f"{_FOREST}{name}": array for name, array in self.forest.arrays().items()}
        return {**forest, **self.oddness.arrays(), **self.signs.arrays()}

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """See ``Scorer``."""
        own = {
            name.removeprefix(_FOREST): array
            for name, array in arrays.items()
            if name.startswith(_FOREST)
        }
        forest = IsolationForestScorer.restore(own)
        signs = Surprises.restore(arrays, len(forest.normal.centre))
        return cls(forest, Surprise.restore(arrays), signs)
