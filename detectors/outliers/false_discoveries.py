"""Which records of a scan are outliers at a stated false-discovery rate.

Benjamini & Hochberg, "Controlling the false discovery rate", JRSS B 1995, on conformal p-values,
for which it holds as well (Bates et al., AoS 2023), also if requests have weights (see
:mod:`detectors.outliers.weights`). A p-value above a bound of its own is never selected, however
many records are: the step-up then begins at that bound, and the rate still holds.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from detectors.outliers.preparation import Vector

EXPECTED_SHARE = 0.01
"""The share of outliers that a calibration set should be large enough for."""


@dataclass(frozen=True, eq=False)
class Selection:
    """What became of the records of a scan, in their order.

    Attributes:
        q_values: the smallest false-discovery rate at which a record would be selected; 1 for one
            that no rate selects.
        outliers: which records are outliers.
        is_promised: whether the rate is promised; if not, there were too few vetted requests to
            select anything at it.
    """

    q_values: Vector
    outliers: npt.NDArray[np.bool_]
    is_promised: bool


def select_outliers(
    p_values: Vector,
    lowest: Vector,
    rate: float,
    max_p_value: float,
    calibration_rows: int,
    weights: Vector | None = None,
) -> Selection:
    """Select outliers among p-values ``(n,)`` at a false-discovery rate.

    Where the calibration set is too small to promise the rate, a record that lies beyond all of it
    is an outlier as well, without that promise.

    Args:
        lowest: the smallest p-value that each record could have had.
        max_p_value: no record above it is selected.
        calibration_rows: of the set that most records are compared with.
        weights: how much each record counts, 1 on average; without them all count alike.
    """
    q = q_values(p_values, max_p_value, weights)
    outliers = q <= rate
    if calibration_rows >= rows_needed(len(p_values), rate):
        return Selection(q, outliers, True)
    beyond = (p_values <= lowest) & (p_values <= max_p_value) & ~outliers
    # Where all that lies beyond is selected at the rate, nothing was added to it.
    is_promised = bool(outliers.any() and not beyond.any())
    return Selection(q, outliers | beyond, is_promised)


def q_values(p_values: Vector, max_p_value: float = 1.0, weights: Vector | None = None) -> Vector:
    """The smallest false-discovery rate at which each p-value would be selected.

    >>> q_values(np.array([0.04, 0.001, 0.03, 0.5])).round(3).tolist()
    [0.053, 0.004, 0.053, 0.5]
    >>> q_values(np.array([0.04, 0.001, 0.03, 0.5]), max_p_value=0.03).round(3).tolist()
    [1.0, 0.004, 0.06, 1.0]
    >>> q_values(np.array([0.04, 0.04]), weights=np.array([1.6, 0.4])).round(3).tolist()
    [0.05, 0.1]
    """
    weighted = p_values if weights is None else p_values / weights
    order = np.argsort(np.where(p_values <= max_p_value, weighted, np.inf), kind="stable")
    order = order[: np.count_nonzero(p_values <= max_p_value)]
    rates = len(p_values) * weighted[order] / np.arange(1, len(order) + 1)
    q = np.ones(len(p_values))
    q[order] = np.minimum(np.minimum.accumulate(rates[::-1])[::-1], 1.0)
    return q


def rows_needed(records: int, rate: float, expected: int | None = None) -> int:
    """Rows of a calibration set with which so many outliers can be told at a rate.

    The smallest p-value of n rows is 1 / (n + 1): k outliers among m records are selected only if
    m / (k (n + 1)) is no more than the rate.

    Args:
        expected: outliers that are expected; by default one in a hundred, at least one.

    >>> rows_needed(1_000, 0.1), rows_needed(1_000_000, 0.1), rows_needed(40, 0.1)
    (999, 999, 399)
    """
    outliers = max(1, round(EXPECTED_SHARE * records)) if expected is None else expected
    # What binary fractions add must not ask for one row more.
    return max(0, ceil(round(records / (rate * outliers), 6)) - 1)
