"""What every kind of outlier model is built from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from detectors.errors import MaskwatchError
from detectors.outliers.preparation import Arrays, Matrix, Normal, Vector

Indices = npt.NDArray[np.intp]
_FOLDS = 5


class OutlierModelError(MaskwatchError):
    """A model that cannot be trained or read."""


class ModelChanged(OutlierModelError):
    """The bytes of an archive are not those that were written."""


class Scorer(Protocol):
    """What differs between the kinds; ``OutlierModel`` adds what they share.

    A scorer does not change. The score of a row follows from that row alone, to the last bit: a
    request gets the same score by itself and in a scan of thousands.
    """

    @property
    def normal(self) -> Normal:
        """Where the rows that it was fitted on lie."""

    @classmethod
    def fit(cls, rows: Matrix, seed: int) -> "FitResult[Self]":
        """Fit on ``(n, features)`` float64 rows; NaN means not measured."""

    def score(self, rows: Matrix) -> Vector:
        """Scores ``(n,)`` of ``(n, features)`` rows; finite, high = anomalous."""

    def arrays(self) -> Arrays:
        """Arrays by name from which ``restore`` makes the same scorer."""

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """The scorer of such arrays; it scores whatever rows without a fault.

        Raises:
            LookupError, ValueError: they are not those of a fitted scorer of this kind.
        """


S = TypeVar("S", bound=Scorer)


@dataclass(frozen=True, eq=False)
class FitResult(Generic[S]):
    """A scorer of all rows.

    Attributes:
        held_out_scores: of each training row by a scorer that did not learn from it, ``(n,)``.
    """

    scorer: S
    held_out_scores: Vector


def cross_fit(fit: Callable[[Matrix], S], rows: Matrix, seed: int) -> FitResult[S]:
    """Fit on all rows, and without each of five folds for the scores of the rows in it."""
    scores = np.empty(len(rows))
    for train, test in folds(len(rows), seed):
        scores[test] = fit(rows[train]).score(rows[test])
    return FitResult(fit(rows), scores)


def folds(rows: int, seed: int) -> list[tuple[Indices, Indices]]:
    """Row numbers ``(train, held out)`` of each fold, ascending; the same for every kind.

    The folds are those of scikit-learn's ``KFold(5, shuffle=True, random_state=seed)``.
    """
    order = np.arange(rows)
    np.random.RandomState(seed).shuffle(order)
    parts = [np.sort(part) for part in np.array_split(order, _FOLDS)]
    return [(np.setdiff1d(order, part), part) for part in parts]
