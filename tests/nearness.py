"""Compares planes of numbers; ``pytest.approx`` would look at each number by itself, in Python."""

from typing import Any

import numpy as np


def is_near(found: Any, expected: Any, within: float) -> bool:
    """Whether ``found`` has the shape of ``expected``, and no number is further off.

    Args:
        expected: an array, or a number that every one of them should be.
    """
    values, wanted = np.asarray(found), np.asarray(expected)
    fits = wanted.ndim == 0 or values.shape == wanted.shape
    return fits and bool((np.abs(values - wanted) <= within).all())
