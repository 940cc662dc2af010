"""Nearest neighbours: rows that lie far from all stored normal rows are unusual.

The mean distance to the nearest rows, Angiulli & Pizzuti, "Fast outlier detection in high
dimensional spaces", PKDD 2002.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.base import FitResult
from detectors.outliers.nearest_search import NEAREST, NearestSearch
from detectors.outliers.preparation import Arrays, Matrix, Normal, Vector, check_array

# One fewer than are searched: a row that is stored itself is not its own neighbour.
_NEIGHBOURS = NEAREST - 1
# Bounds the time of a score and the size of the archive. Twice as many rows take twice the time and
# rank the tables of the bench no better; see docs/outlier-figures.md.
_MAX_REFERENCES = 2000
_ROWS = 256
# On a logarithmic scale nothing lies farther out than 78.
_FARTHEST = 100.0


@dataclass(frozen=True, eq=False)
class NearestNeighboursScorer:
    """Scaled normal rows to compare with.

    Attributes:
        references: ``(m, features)``, at most 2,000 rows chosen by the seed.
    """

    normal: Normal
    references: Matrix

    @classmethod
    def fit(cls, rows: Matrix, seed: int) -> FitResult[Self]:
        """Fit on ``(n, features)`` rows; a held-out score leaves out only the row itself.

        With fewer rows all distances grow, so scores of folds would not be those of later rows.
        """
        normal = Normal.of(rows)
        points = normal.scale(rows)
        count = min(_MAX_REFERENCES, len(rows))
        selection = np.random.default_rng(seed).choice(len(rows), count, replace=False)
        scorer = cls(normal, points[selection])
        return FitResult(
            scorer, scorer._distances(points, np.isin(np.arange(len(rows)), selection))
        )

    def score(self, rows: Matrix) -> Vector:
        """Mean distance to the five nearest stored rows."""
        return self._distances(self.normal.scale(rows), np.zeros(len(rows), bool))

    def _distances(self, points: Matrix, is_reference: npt.NDArray[np.bool_]) -> Vector:
        """Mean distances ``(n,)``; a row that is stored itself is not its own neighbour."""
        distances = np.empty(len(points))
        for first in range(0, len(points), _ROWS):
            part = slice(first, first + _ROWS)
            near = self._search.nearest(points[part])
            # A stored row comes first, at distance 0.
            others = np.where(is_reference[part, np.newaxis], near[:, 1:], near[:, :-1])
            distances[part] = others.mean(axis=1)
        return distances

    @cached_property
    def _search(self) -> NearestSearch:
        return NearestSearch.of(self.references)

    def arrays(self) -> Arrays:
        """See ``Scorer``."""
        return {**self.normal.arrays(), "stored": self.references}

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """See ``Scorer``."""
        normal = Normal.restore(arrays)
        references = check_array(arrays["stored"], np.float64, (-1, len(normal.centre)))
        if not _NEIGHBOURS < len(references) <= _MAX_REFERENCES:
            raise ValueError("too few rows to compare with, or too many")
        if not (np.abs(references) <= _FARTHEST).all():
            raise ValueError("a row that lies farther out than any scaled row does")
        return cls(normal, references)
