"""What both forests share: trees over normal rows, fitted with and without each fold."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from detectors.outliers.base import Fitted, State, cross_fitted
from detectors.outliers.preparation import Matrix, Normal, Vector
from detectors.outliers.trees import Trees


@dataclass(frozen=True, eq=False)
class ForestScorer(ABC):
    """A ``Scorer`` that walks trees; kinds differ in how they grow them and what these look at."""

    normal: Normal
    trees: Trees

    @classmethod
    def fit(cls, rows: Matrix, seed: int) -> Fitted[Self]:
        """Fit on ``(n, features)`` rows; see ``Scorer``."""
        return cross_fitted(lambda some: cls._of(some, seed), rows, seed)

    @classmethod
    def _of(cls, rows: Matrix, seed: int) -> Self:
        normal = Normal.of(rows)
        return cls(normal, cls._grown(normal, rows, seed))

    @classmethod
    @abstractmethod
    def _grown(cls, normal: Normal, rows: Matrix, seed: int) -> Trees:
        """Trees on ``(n, features)`` rows."""

    @abstractmethod
    def score(self, rows: Matrix) -> Vector:
        """Between 0 and 1; see ``Scorer``."""

    def state(self) -> State:
        """See ``Scorer``."""
        return {**self.normal.state(), **self.trees.state()}

    @classmethod
    def restore(cls, state: State) -> Self:
        """See ``Scorer``."""
        normal = Normal.restore(state)
        return cls(normal, Trees.restore(state, len(normal.centre)))
