"""What a scan decides on: a client's few requests together, those of a busy one each by itself.

A rate among requests counts a client of fifty like fifty others, and an attack picture from a
client of its own has to outweigh them all. So a client's requests are one hypothesis, with the
p-value of Simes (Biometrika 1986), which holds for requests that are odd together. Of a selected
unit those requests are outliers that hold at the rate that is left for one unit (Benjamini &
Bogomolov, JRSS B 2014). Who is a unit follows from how much was sent, never from how odd it is.
Whoever sends more than ten has as many units: a campaign from one address is as many discoveries,
and a shared address is not one sender.
"""

import numpy as np
import numpy.typing as npt

from detectors.outliers.preparation import Vector

MAX_REQUESTS = 10
"""So many requests of a client in a scan are judged together."""

Numbers = npt.NDArray[np.int64]


def form_units(clients: Numbers) -> Numbers:
    """The unit of each request, ``(n,)``, numbered from 0.

    Args:
        clients: a number for each request that is the same for the same client, ``(n,)``.

    >>> form_units(np.array([7, 9, 7, *[8] * 11])).tolist()
    [0, 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    """
    _, numbers, counts = np.unique(clients, return_inverse=True, return_counts=True)
    is_alone = counts[numbers] > MAX_REQUESTS
    labels = np.where(is_alone, len(counts) + np.arange(len(clients)), numbers)
    return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.int64)


def adjust_within(p_values: Vector, units: Numbers) -> Vector:
    """P-values ``(n,)`` that count the others of the same unit; the least is that of the unit.

    >>> adjust_within(np.array([0.03, 0.5, 0.02, 0.01]), np.array([0, 0, 0, 1])).round(3).tolist()
    [0.045, 0.5, 0.045, 0.01]
    """
    order = np.lexsort((p_values, units))
    unit, counts = units[order], np.bincount(units)
    ranks = np.arange(len(unit)) - (np.cumsum(counts) - counts)[unit] + 1
    rates = p_values[order] * counts[unit] / ranks
    is_followed = unit[:-1] == unit[1:]
    for _ in range(int(counts.max(initial=1)) - 1):
        rates[:-1] = np.minimum(rates[:-1], np.where(is_followed, rates[1:], np.inf))
    adjusted = np.empty(len(p_values))
    adjusted[order] = rates
    return adjusted
