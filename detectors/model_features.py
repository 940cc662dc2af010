"""Model features: how sure the segmenter was, from the class probabilities alone.

Written against the Python array API, so that the same lines reduce numpy and torch arrays.
Pixel entropy as an uncertainty measure: Hendrycks & Gimpel, ICLR 2017 (max softmax) and
Rottmann et al., IJCNN 2020 (entropy and margin of segmentation networks).
"""

from math import nan
from typing import Any

from array_api_compat import array_namespace

from detectors.parsing import Parsing
from detectors.parts import CLOTHES_GROUPS, PartGroup, group_indices

_CONFIDENCES: dict[str, tuple[PartGroup, ...]] = {
    "confidence_face": (PartGroup.FACE,),
    "confidence_hair": (PartGroup.HAIR,),
    "confidence_arms": (PartGroup.ARMS,),
    "confidence_legs": (PartGroup.LEGS,),
    "confidence_feet": (PartGroup.FEET,),
    "confidence_clothes": CLOTHES_GROUPS,
}


def entropy_map(probabilities: Any) -> Any:
    """Pixel entropies ``(h, w)`` in nats of class probabilities ``(C, h, w)``."""
    xp = array_namespace(probabilities)
    safe = xp.clip(probabilities, 1e-12, 1.0)
    return -xp.sum(safe * xp.log(safe), axis=0)


def model_features(parsing: Parsing) -> dict[str, float]:
    """Measure the ``model`` group; a confidence is NaN where its part group is absent."""
    probabilities = parsing.probabilities
    xp = array_namespace(probabilities)
    ordered = xp.sort(probabilities, axis=0)
    best, second = ordered[-1, ...], ordered[-2, ...]
    winners = xp.argmax(probabilities, axis=0)
    entropies = entropy_map(probabilities)
    foreground = winners != 0
    return {
        "entropy_mean": float(xp.mean(entropies)),
        "entropy_p95": _percentile(xp, entropies, 0.95),
        "entropy_foreground": _masked_mean(xp, entropies, foreground),
        "margin_mean": float(xp.mean(best - second)),
        "max_softmax_mean": float(xp.mean(best)),
        "foreground_share": float(xp.mean(xp.astype(foreground, best.dtype))),
        **{
            name: _masked_mean(
                xp, best, _belongs(xp, winners, group_indices(parsing.labels, groups))
            )
            for name, groups in _CONFIDENCES.items()
        },
    }


def _belongs(xp: Any, winners: Any, indices: list[int]) -> Any:
    mask = xp.zeros_like(winners, dtype=xp.bool)
    for index in indices:
        mask = mask | (winners == index)
    return mask


def _masked_mean(xp: Any, values: Any, mask: Any) -> float:
    weights = xp.astype(mask, values.dtype)
    total = float(xp.sum(weights))
    return float(xp.sum(values * weights)) / total if total else nan


def _percentile(xp: Any, values: Any, share: float) -> float:
    """Lower empirical quantile; the array API has no percentile of its own."""
    flat = xp.sort(xp.reshape(values, (-1,)))
    return float(flat[int(share * (flat.shape[0] - 1))])
