"""What a perturbation is, and a sensor, a watermark or a border is not.

A sensor's pattern (Lukas, Fridrich & Goljan, 2006) changes a value by a hundredth, which is far
less than a level once a picture is small. A watermark can be seen, as a perturbation must not be,
and a border lies at the edge, where a perturbation lies everywhere.
"""

from collections.abc import Sequence
from math import sqrt

import cv2
import numpy as np

from detectors.perturbations.residuals import Residual, level_out

# In levels of colour: the deviation of what is common, and its hundredth highest value.
_MIN_LEVELS, _MAX_PEAK = 0.7, 11.0
_PEAK_SHARE = 0.99
_BLOCKS = 6
_MIN_SPREAD = 0.78
# A block shows what is common if it does so by a third of what the median block does.
_MIN_AGREEMENT = 1 / 3


def is_perturbation(residuals: Sequence[Residual]) -> bool:
    """Whether what these have in common is strong, hidden and everywhere.

    Args:
        residuals: of two and more pictures, laid over each other.
    """
    is_hidden = peak_of(residuals) <= _MAX_PEAK
    return (
        is_hidden
        and common_levels(residuals) >= _MIN_LEVELS
        and spread_of(residuals) >= _MIN_SPREAD
    )


def common_levels(residuals: Sequence[Residual]) -> float:
    """Deviation of what residuals have in common, in levels of the stronger channel."""
    return sqrt(max(0.0, float(_common_energy(residuals).mean(axis=(1, 2)).max())))


def peak_of(residuals: Sequence[Residual]) -> float:
    """How far colours are changed in common: one cell in a hundred by more than so many levels."""
    return float(np.quantile(np.abs(np.median(residuals, axis=0)), _PEAK_SHARE, axis=(1, 2)).max())


def spread_of(residuals: Sequence[Residual]) -> float:
    """Share of the blocks of a picture that show what residuals have in common."""
    energy = _common_energy([level_out(each) for each in residuals]).sum(axis=0)
    blocks = cv2.resize(energy, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
    return float((blocks >= _MIN_AGREEMENT * max(float(np.median(blocks)), 0.0)).mean())


def _common_energy(residuals: Sequence[Residual]) -> Residual:
    """Mean product of two different ones, by cell: what is not common averages out."""
    count = len(residuals)
    total = np.sum(residuals, axis=0)
    squares = np.sum(np.square(residuals), axis=0)
    return np.asarray((total**2 - squares) / (count * (count - 1)), dtype=np.float32)
