"""How two outlier models differ on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix, Vector


@dataclass(frozen=True, eq=False)
class NamedRows:
    """Features of several requests, one column per name; NaN means not measured.

    Attributes:
        rows: ``(n, features)``.
    """

    names: tuple[str, ...]
    rows: Matrix

    def select(self, names: Sequence[str]) -> Matrix:
        """The columns of these names in this order; NaN for names that were not kept."""
        columns = {name: self.rows[:, number] for number, name in enumerate(self.names)}
        unknown = np.full(len(self.rows), np.nan)
        return np.column_stack([columns.get(name, unknown) for name in names])


def p_values_of(model: OutlierModel, rows: NamedRows) -> Vector:
    """What a model says of rows that may have other features than it, ``(n,)``."""
    return model.p_values(model.score(rows.select(model.names)))


def movement(first: Vector, second: Vector) -> float:
    """Mean distance of two models' p-values of the same rows, 0 to 1; of unrelated ones 1/3."""
    return float(np.abs(first - second).mean())
