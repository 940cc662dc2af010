"""Scores of different models on one scale: how surprising a score is among normal ones."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.outliers.preparation import Arrays, Vector, check_array

_TAIL = 0.9


@dataclass(frozen=True, eq=False)
class Surprise:
    """``-log p`` of a score, where p is the share of normal scores that are at least as high.

    Beyond the highest normal score p would always be the same, and one very odd row could not be
    told from another. There the surprise goes on with the logarithm of the distance, measured in
    mean excesses of the upper tenth (a Pareto tail).

    Attributes:
        scores: scores of normal rows, sorted ascending.
        knots: the different ones among them.
        heights: the surprise at each knot, in nats.
        excess: mean excess of the upper tenth over where it begins.
    """

    scores: Vector
    knots: Vector
    heights: Vector
    excess: float

    @classmethod
    def among(cls, scores: Vector) -> Self:
        """Of scores in any order, at least one."""
        ascending = np.sort(scores)
        knots, first = np.unique(ascending, return_index=True)
        heights = -np.log((len(ascending) - first) / (len(ascending) + 1))
        start = np.quantile(ascending, _TAIL)
        mean = float(np.mean(ascending[ascending >= start] - start))
        # Equal scores have no excess; then a thousandth of the score stands for it.
        excess = max(mean, 1e-3 * abs(float(ascending[-1])), 1e-9)
        return cls(ascending, knots, heights, excess)

    def of(self, scores: Vector) -> Vector:
        """Surprises ``(n,)``, in nats."""
        beyond = np.maximum(scores - self.knots[-1], 0.0) / self.excess
        return np.asarray(np.interp(scores, self.knots, self.heights) + np.log1p(beyond))

    def arrays(self) -> dict[str, Vector]:
        """The scores by name."""
        return {"scores": self.scores}

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """What ``arrays`` gave.

        Raises:
            LookupError, ValueError: it is something else.
        """
        scores = check_array(arrays["scores"], np.float64, (-1,))
        if not scores.size:
            raise ValueError("no scores to compare with")
        return cls.among(scores)
