"""Where normal rows lie, and rows measured against that: the one preparation of all models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]
Arrays = Mapping[str, npt.NDArray[Any]]

# Far beyond any feature, and still finite as float32 and in units of the smallest spread.
_LARGEST = 1e30
# What follows from bounded features is smaller than this: spreads, cuts, distances.
_LARGEST_STORED = 1e31
_SMALLEST_SPREAD = 1e-3
# A feature that fewer training rows have than this share says something only where it lies beyond
# what so many of those have that do; if they are fewer than that, it says nothing.
_SELDOM, _USUAL, _MIN_MEASURED = 0.5, 0.95, 30
# How many standard deviations of a normal distribution its interquartile range has.
_RANGE_OF_DEVIATION = 1.349


@dataclass(frozen=True, eq=False)
class Normal:
    """Centre and spread of each column of the training rows.

    Attributes:
        centre: medians ``(features,)``; they stand for values that were not measured.
        spread: interquartile ranges ``(features,)``, above 0.
        slack: how far from the centre a value lies that is as good as none, ``(features,)``; 0
            for features that most rows have.
    """

    centre: Vector
    spread: Vector
    slack: Vector

    @classmethod
    def of(cls, rows: Matrix) -> Self:
        """Of ``(n, features)`` rows; NaN means not measured. A column of NaN lies at 0."""
        values = np.where(np.isnan(rows).all(axis=0), 0.0, _clip_rows(rows))
        low, centre, high = _quartiles_of(values)
        # Where more than half of the rows are equal, the deviation says more. Where all are equal,
        # something still has to say how far off another row is.
        deviation = _RANGE_OF_DEVIATION * np.nanstd(values, axis=0)
        spread = np.where(high > low, high - low, deviation)
        spread = np.maximum(spread, np.maximum(_SMALLEST_SPREAD, 0.01 * np.abs(centre)))
        return cls(centre, spread, _slack_of(rows, centre))

    def fill(self, rows: Matrix) -> Matrix:
        """A finite copy with the centre where nothing was measured, or nothing that says a thing.

        A look that is taken of few requests would otherwise make each of them odd: all others lie
        at one place.
        """
        values = self._complete(rows)
        seldom = np.flatnonzero(self.slack)
        if len(seldom):
            apart = values[:, seldom] - self.centre[seldom]
            beyond = np.maximum(np.abs(apart) - self.slack[seldom], 0.0)
            values[:, seldom] = self.centre[seldom] + np.copysign(beyond, apart)
        return values

    def _complete(self, rows: Matrix) -> Matrix:
        return np.ascontiguousarray(np.where(np.isnan(rows), self.centre, _clip_rows(rows)))

    def distances(self, rows: Matrix) -> Matrix:
        """Signed distances from the centre in spreads; 0 where nothing was measured.

        Of features that few rows have, distances beyond what is usual.
        """
        return np.asarray((self.fill(rows) - self.centre) / self.spread)

    def whole_distances(self, rows: Matrix) -> Matrix:
        """Signed distances from the centre in spreads, of every measured value."""
        return np.asarray((self._complete(rows) - self.centre) / self.spread)

    def scale(self, rows: Matrix) -> Matrix:
        """Distances ``d`` on a logarithmic scale: ``sign(d) log(1 + |d|)``.

        Counts and variances have heavy tails. Without the logarithm a single one of them would
        decide which rows lie near to each other.
        """
        distance = self.distances(rows)
        return np.asarray(np.copysign(np.log1p(np.abs(distance)), distance))

    def arrays(self) -> dict[str, Vector]:
        """The arrays by name."""
        return {"centre": self.centre, "spread": self.spread, "slack": self.slack}

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """What ``arrays`` gave.

        Raises:
            LookupError, ValueError: it is something else.
        """
        centre = check_array(arrays["centre"], np.float64, (-1,))
        spread = check_array(arrays["spread"], np.float64, centre.shape)
        if not (spread >= _SMALLEST_SPREAD).all():
            raise ValueError("a spread that is too small")
        slack = check_array(arrays["slack"], np.float64, centre.shape)
        if not (slack >= 0).all():
            raise ValueError("a slack below 0")
        return cls(centre, spread, slack)


def _quartiles_of(values: Matrix) -> Matrix:
    """``(3, features)``. NumPy looks at columns with NaN one by one: only at those that have it."""
    has_nan = np.asarray(np.isnan(values).any(axis=0))
    quartiles = np.empty((3, len(has_nan)))
    for chosen, quantiles_of in ((~has_nan, np.quantile), (has_nan, np.nanquantile)):
        if chosen.any():
            quartiles[:, chosen] = quantiles_of(values[:, chosen], (0.25, 0.5, 0.75), axis=0)
    return quartiles


def _slack_of(rows: Matrix, centre: Vector) -> Vector:
    measured = ~np.isnan(rows)
    slack = np.zeros(len(centre))
    for column in np.flatnonzero(measured.mean(axis=0) < _SELDOM):
        values = _clip_rows(rows[measured[:, column], column])
        apart = np.abs(values - centre[column])
        enough = len(apart) >= _MIN_MEASURED
        slack[column] = max(np.quantile(apart, _USUAL), 1e-9) if enough else _LARGEST_STORED
    return slack


def check_array(array: npt.NDArray[Any], dtype: type, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """An array from an archive, if it has this type and shape; -1 is any length.

    Raises:
        ValueError: it has not, or a value is not finite or beyond what a fit can give.
    """
    if array.dtype != dtype or array.ndim != len(shape):
        raise ValueError("not an array of the expected type")
    if any(want not in (-1, have) for want, have in zip(shape, array.shape, strict=True)):
        raise ValueError("not an array of the expected shape")
    if not (np.abs(array) <= _LARGEST_STORED).all():
        raise ValueError("a value that no fit gives")
    return array


def _clip_rows(rows: Matrix) -> Matrix:
    """Rows without infinities; NaN stays."""
    return np.asarray(np.clip(rows, -_LARGEST, _LARGEST))
