"""Made-up traffic whose attacks are known."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from detectors.outliers.preparation import Matrix

_FEATURES, _FACTORS, _ODD_FEATURES = 40, 6, 8
NAMES = tuple(f"feature_{number}" for number in range(_FEATURES))


@dataclass(frozen=True, eq=False)
class World:
    """Correlated features with heavy tails, some shifted in attacks."""

    loadings: Matrix
    shift: Matrix
    random: np.random.Generator

    @classmethod
    def make(cls, random: np.random.Generator) -> Self:
        """A world with one kind of attack."""
        loadings = random.normal(size=(_FACTORS, _FEATURES))
        shift = np.zeros(_FEATURES)
        odd = random.choice(_FEATURES, _ODD_FEATURES, replace=False)
        shift[odd] = random.choice([-1, 1], _ODD_FEATURES) * 12.0
        return cls(loadings, shift, random)

    def draw(self, honest: int, attacks: int, way: float = 1.0) -> Matrix:
        """Honest rows, then attacks.

        Args:
            way: how much of the way to the attack these have gone, 0 to 1.
        """
        count = honest + attacks
        factors = self.random.standard_t(5, (count, _FACTORS))
        rows = factors @ self.loadings + self.random.standard_t(5, (count, _FEATURES))
        rows[honest:] += way * self.shift * self.random.uniform(0.5, 1.5, (attacks, 1))
        return rows
