"""A parse in short: the label of each cell of a coarse grid, to see how answers differ."""

import numpy as np
import numpy.typing as npt

from detectors.parsing import LabelMap

SIDE = 16
_SAMPLES = 4
"""Pixels that are looked at along each side of a cell."""

Outline = npt.NDArray[np.uint8]

_FIRST_NUMBERS = np.arange(SIDE * SIDE)[:, None] * 256


def outline(label_map: LabelMap) -> Outline:
    """The most frequent label of each cell: ``(16, 16)`` uint8 from ``(H, W)`` uint8."""
    steps = (np.arange(SIDE * _SAMPLES) + 0.5) / (SIDE * _SAMPLES)
    rows, columns = ((steps * length).astype(np.intp) for length in label_map.shape)
    samples = label_map[np.ix_(rows, columns)].reshape(SIDE, _SAMPLES, SIDE, _SAMPLES)
    per_cell = samples.transpose(0, 2, 1, 3).reshape(SIDE * SIDE, -1)
    # Counted in one go: each cell has 256 numbers of its own.
    counts = np.bincount((per_cell + _FIRST_NUMBERS).ravel(), minlength=SIDE * SIDE * 256)
    most: Outline = counts.reshape(SIDE, SIDE, 256).argmax(axis=2).astype(np.uint8)
    return most


def changed_share(one: Outline, other: Outline) -> float:
    """Share of the cells where either is foreground whose label differs; 0 without foreground."""
    foreground = (one > 0) | (other > 0)
    return float((one != other)[foreground].mean()) if foreground.any() else 0.0
