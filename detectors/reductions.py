"""Small reductions over masks, for any array that follows the Python array API."""

from collections.abc import Iterable, Sequence
from math import isnan, nan
from typing import Any

from array_api_compat import array_namespace

# A mask of a smaller share of the pixels is too small to be compared with another one.
MIN_SHARE = 0.001


def belongs(winners: Any, indices: Sequence[int]) -> Any:
    """Pixels ``(h, w)`` whose label is one of ``indices``."""
    xp = array_namespace(winners)
    mask = xp.zeros_like(winners, dtype=xp.bool)
    for index in indices:
        mask = mask | (winners == index)
    return mask


def entropy_map(probabilities: Any) -> Any:
    """Pixel entropies ``(h, w)`` in nats of class probabilities ``(C, h, w)``."""
    xp = array_namespace(probabilities)
    safe = xp.clip(probabilities, 1e-12, 1.0)
    return -xp.sum(safe * xp.log(safe), axis=0)


def masked_mean(values: Any, mask: Any) -> float:
    """Mean of the values under a mask; NaN where the mask is empty."""
    xp = array_namespace(values)
    weights = xp.astype(mask, values.dtype)
    total = float(xp.sum(weights))
    return float(xp.sum(values * weights)) / total if total else nan


def share_of(mask: Any, within: Any) -> float:
    """Share of the pixels of ``within`` that a mask has too; NaN where there are none."""
    return divide(pixels_of(mask & within), pixels_of(within))


def pixels_of(mask: Any) -> int:
    """How many pixels a mask has."""
    return int(array_namespace(mask).count_nonzero(mask))


def is_comparable(mask: Any) -> bool:
    """Whether a mask is large enough for a share of it to mean something."""
    height, width = mask.shape
    return pixels_of(mask) >= max(1.0, MIN_SHARE * int(height) * int(width))


def iou(first: Any, second: Any) -> float:
    """Intersection over union of two masks; NaN where the union is too small."""
    union = first | second
    return share_of(first & second, union) if is_comparable(union) else nan


def divide(part: float, whole: float) -> float:
    """A quotient; NaN for an empty whole."""
    return part / whole if whole else nan


def drop_nan(values: Iterable[float]) -> list[float]:
    """The values that are not NaN."""
    return [value for value in values if not isnan(value)]


def smallest(values: Iterable[float]) -> float:
    """The smallest measured value; NaN if none is."""
    return min(drop_nan(values), default=nan)


def largest(values: Iterable[float]) -> float:
    """The largest measured value; NaN if none is."""
    return max(drop_nan(values), default=nan)
