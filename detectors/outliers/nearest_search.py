"""Exact distances to the nearest of some stored points, found with float32 products of matrices.

A product says about how far all stored points are; a few candidates are then measured in float64.
Where rounding leaves open whether these hold the nearest ones, all points are measured: a distance
is the same to the last bit, whatever rows it is asked for with.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]

NEAREST = 6
"""So many distances are asked for."""

# Two more than are asked for, so that rounding seldom leaves anything open.
_CANDIDATES = NEAREST + 2
# Points are looked through in slots; the nearest ones lie in the slots whose best point is nearest.
_SLOT = 8
_EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, eq=False)
class NearestSearch:
    """Points to search.

    Attributes:
        points: ``(m, features)``.
        singles: the same in float32, times -2 and filled up to whole slots, ``(features, slots)``.
        squares: their squared lengths; infinite where there is no point.
        slack: how far off a squared distance is, in parts of the squared lengths of both points.
    """

    points: Matrix
    singles: Singles
    squares: Singles
    slack: float

    @classmethod
    def of(cls, points: Matrix) -> Self:
        """Of ``(m, features)`` points, at least six."""
        count, features = points.shape
        size = _SLOT * max(_CANDIDATES, -(-count // _SLOT))
        singles, squares = np.zeros((size, features), np.float32), np.full(size, np.inf, np.float32)
        singles[:count] = points
        squares[:count] = np.square(singles[:count]).sum(axis=1)
        turned = np.ascontiguousarray(-2 * singles.T)
        return cls(points, turned, squares, 2 * (features + 8) * _EPSILON)

    def nearest(self, rows: Matrix) -> Matrix:
        """The six smallest distances of ``(n, features)`` rows, ascending, ``(n, 6)``."""
        singles = rows.astype(np.float32)
        lengths = np.square(singles).sum(axis=1)
        estimates = singles @ self.singles
        estimates += self.squares
        candidates, bound = _choose(estimates)
        # Where there are fewer points than candidates, all of them are measured.
        known = candidates < len(self.points)
        squares = self._measure(rows, np.where(known, candidates, 0))
        squares = np.sort(np.where(known, squares, np.inf), axis=1)[:, :NEAREST]
        slack = self.slack * (lengths + self.squares[: len(self.points)].max())
        is_open = ~(bound + lengths - slack > squares[:, -1])
        for row in np.flatnonzero(is_open):
            everything = np.arange(len(self.points))[np.newaxis]
            squares[row] = np.sort(self._measure(rows[row : row + 1], everything)[0])[:NEAREST]
        return np.asarray(np.sqrt(squares))

    def _measure(self, rows: Matrix, which: Indices) -> Matrix:
        """Squared distances to some points, ``(n, k)``; the last axis is summed up for each."""
        apart = self.points[which] - rows[:, np.newaxis]
        return np.asarray(np.square(apart, out=apart).sum(axis=2))


def _choose(estimates: Singles) -> tuple[Indices, Singles]:
    """The points with the smallest estimates, ``(n, 8)``, and a bound for all others, ``(n,)``."""
    slots = estimates.reshape(len(estimates), _SLOT, -1)
    best = np.argpartition(slots.min(axis=1), _CANDIDATES - 1, axis=1)[:, :_CANDIDATES]
    width = slots.shape[2]
    inside = (best[:, np.newaxis] + np.arange(_SLOT)[:, np.newaxis] * width).reshape(len(best), -1)
    values = np.take_along_axis(estimates, inside, axis=1)
    order = np.argpartition(values, _CANDIDATES - 1, axis=1)[:, :_CANDIDATES]
    bound = np.take_along_axis(values, order[:, -1:], axis=1)[:, 0]
    return np.take_along_axis(inside, order, axis=1), bound
