"""How rarely clean rows show as much of a number: as few of them as there are allow to say.

Above the upper tenth of the clean rows the tail falls exponentially (Pickands, Annals of Statistics
1975). How fast it falls is not known but learnt from k rows above, so a new row is held against the
predictive distribution, which knows that: ``P(X > x) = (1 + x / S)^-k`` for k exponential excesses
with the sum S (Lawless & Fredette, Biometrika 2005). Of many rows it is the exponential tail, of a
few a heavy one: what one clean row in six hundred has is rare, and by how much twice of it is rarer
still, one row does not say.
"""

from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np

from detectors.outliers.preparation import Vector

_TAIL = 0.1
# As if one more clean row lay above, by one unit: without it nothing above would mean certainty.
_MORE_ROWS, _MORE_EXCESS = 1, 1.0


@dataclass(frozen=True)
class Tail:
    """The upper tail of a number among clean rows.

    Attributes:
        start: where it begins.
        share: of clean rows that lie in it.
        rows: how many do.
        excess: the sum of their distances from the start.
    """

    start: float
    share: float
    rows: float
    excess: float

    @classmethod
    def among(cls, values: Vector) -> Self:
        """Of ``(n,)`` values of clean rows; NaN means not measured.

        Of a count that is 0 in nearly all rows fewer than a tenth lie above: then so few are rare.
        """
        measured = values[~np.isnan(values)]
        start = float(np.quantile(measured, 1 - _TAIL))
        above = measured[measured > start] - start
        rows = len(above) + _MORE_ROWS
        share = rows / (len(measured) + _MORE_ROWS)
        return cls(start, share, float(rows), float(above.sum()) + _MORE_EXCESS)

    def surprise(self, values: Vector) -> Vector:
        """``-log P`` of ``(n,)`` values, in nats; 0 where it was not measured or is common."""
        beyond = np.where(values > self.start, values - self.start, 0.0)
        nats = self.rows * np.log1p(beyond / self.excess) - log(self.share)
        return np.where(values > self.start, nats, 0.0)

    @property
    def numbers(self) -> tuple[float, float, float, float]:
        """What :meth:`restore` takes."""
        return self.start, self.share, self.rows, self.excess

    @classmethod
    def restore(cls, start: float, share: float, rows: float, excess: float) -> Self:
        """The tail of such numbers.

        Raises:
            ValueError: no fit gives them.
        """
        if not 0 < share <= 1:
            raise ValueError("no share of rows")
        if not (rows >= _MORE_ROWS and excess >= _MORE_EXCESS):
            raise ValueError("a scale that no fit gives")
        return cls(start, share, rows, excess)
