"""Nearest neighbours: rows that lie far from all stored normal rows are unusual.

The mean distance to the nearest rows, Angiulli & Pizzuti, "Fast outlier detection in high
dimensional spaces", PKDD 2002.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.base import Fitted
from detectors.outliers.preparation import Arrays, Matrix, Normal, Vector, checked

_NEIGHBOURS = 5
# Bounds the time of a score and the size of the archive; 4,000 rows take tenths of a millisecond.
_MAX_STORED = 4000
_ROWS = 256


@dataclass(frozen=True, eq=False)
class NearestNeighboursScorer:
    """Scaled normal rows to compare with.

    Attributes:
        stored: ``(m, features)``, at most 4,000 rows chosen by the seed.
    """

    normal: Normal
    stored: Matrix

    @classmethod
    def fit(cls, rows: Matrix, seed: int) -> Fitted[Self]:
        """Fit on ``(n, features)`` rows; a held-out score leaves out only the row itself.

        With fewer rows all distances grow, so scores of folds would not be those of later rows.
        """
        normal = Normal.of(rows)
        scaled = normal.scaled(rows)
        count = min(_MAX_STORED, len(rows))
        chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
        scorer = cls(normal, scaled[chosen])
        return Fitted(scorer, scorer._distances(scaled, np.isin(np.arange(len(rows)), chosen)))

    def score(self, rows: Matrix) -> Vector:
        """Mean distance to the five nearest stored rows."""
        return self._distances(self.normal.scaled(rows), np.zeros(len(rows), bool))

    def _distances(self, scaled: Matrix, stored: npt.NDArray[np.bool_]) -> Vector:
        """Mean distances ``(n,)``; a row that is stored itself is not its own neighbour."""
        # 40 MB that the other kinds do without.
        from scipy.spatial.distance import cdist  # noqa: PLC0415

        found = np.empty(len(scaled))
        for first in range(0, len(scaled), _ROWS):
            part = slice(first, first + _ROWS)
            near = np.partition(cdist(scaled[part], self.stored), _NEIGHBOURS, axis=1)
            near = np.sort(near[:, : _NEIGHBOURS + 1], axis=1)
            # A stored row comes first, at distance 0.
            others = np.where(stored[part, np.newaxis], near[:, 1:], near[:, :-1])
            found[part] = others.mean(axis=1)
        return found

    def arrays(self) -> Arrays:
        """See ``Scorer``."""
        return {**self.normal.arrays(), "stored": self.stored}

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """See ``Scorer``."""
        normal = Normal.restore(arrays)
        stored = checked(arrays["stored"], np.float64, (-1, len(normal.centre)))
        if not _NEIGHBOURS < len(stored) <= _MAX_STORED:
            raise ValueError("too few rows to compare with, or too many")
        return cls(normal, stored)
