"""What both forests share: trees over normal rows, fitted with and without each fold."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

from detectors.outliers.base import FitResult, cross_fit
from detectors.outliers.forests.trees import Trees
from detectors.outliers.preparation import Arrays, Matrix, Normal, Vector


@dataclass(frozen=True, eq=False)
class ForestScorer(ABC):
    """A ``Scorer`` that walks trees; kinds differ in how they grow them and what these look at.

    Attributes:
        TERMS: at most so many features are looked at by one node.
    """

    TERMS: ClassVar[int]
    normal: Normal
    trees: Trees

    @classmethod
    def fit(cls, rows: Matrix, seed: int) -> FitResult[Self]:
        """Fit on ``(n, features)`` rows; see ``Scorer``."""
        return cross_fit(lambda some: cls._of(some, seed), rows, seed)

    @classmethod
    def _of(cls, rows: Matrix, seed: int) -> Self:
        normal = Normal.of(rows)
        return cls(normal, cls._grow_trees(normal, rows, seed))

    @classmethod
    @abstractmethod
    def _grow_trees(cls, normal: Normal, rows: Matrix, seed: int) -> Trees:
        """Trees on ``(n, features)`` rows."""

    @abstractmethod
    def score(self, rows: Matrix) -> Vector:
        """Between 0 and 1; see ``Scorer``."""

    def arrays(self) -> Arrays:
        """See ``Scorer``."""
        return {**self.normal.arrays(), **self.trees.arrays()}

    @classmethod
    def restore(cls, arrays: Arrays) -> Self:
        """See ``Scorer``."""
        normal = Normal.restore(arrays)
        columns = len(normal.centre)
        return cls(normal, Trees.restore(arrays, min(cls.TERMS, columns), columns))
