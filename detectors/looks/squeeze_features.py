"""Features of squeezes and patches: how far the parse moves where it should hardly move.

Squeezes: Xu et al., Feature Squeezing, NDSS 2018. Patches: Xiao et al., Characterizing Adversarial
Examples Based on Spatial Consistency Information for Semantic Segmentation, ECCV 2018.
"""

from collections.abc import Mapping
from math import log
from typing import Any

from array_api_compat import array_namespace

from detectors.looks.tile_maps import largest_tile_mean
from detectors.reductions import (
    divide,
    drop_nan,
    entropy_map,
    iou,
    largest,
    masked_mean,
    pixels_of,
)


def divergence_map(first: Any, second: Any) -> Any:
    """Jensen–Shannon divergence in nats, ``(h, w)``, of probabilities ``(C, h, w)``: 0 to ln 2."""
    xp = array_namespace(first)
    apart = entropy_map((first + second) / 2) - (entropy_map(first) + entropy_map(second)) / 2
    return xp.clip(apart, 0.0, log(2))


def divergence(first: Any, second: Any) -> float:
    """Mean divergence where either sees foreground; NaN where neither does."""
    xp = array_namespace(first)
    foreground = (xp.argmax(first, axis=0) != 0) | (xp.argmax(second, axis=0) != 0)
    return masked_mean(divergence_map(first, second), foreground)


def squeeze_features(parse: Any, looks: Mapping[str, Any]) -> dict[str, float]:
    """Hold squeezed looks ``(C, h, w)``, by name, against a parse of their size."""
    xp = array_namespace(parse)
    background = xp.argmax(parse, axis=0) == 0
    areas = [pixels_of(background & (xp.argmax(look, axis=0) != 0)) for look in looks.values()]
    return {
        **{f"js_{name}": divergence(parse, look) for name, look in looks.items()},
        **{
            f"tile_js_{name}": largest_tile_mean(divergence_map(parse, look))
            for name, look in looks.items()
        },
        "hidden_squeeze_share": largest(
            divide(pixels, background.shape[0] * background.shape[1]) for pixels in areas
        ),
    }


def patch_consistency(first: Any, second: Any) -> float:
    """Mean intersection over union of the labels that two looks ``(C, h, w)`` see in one place."""
    xp = array_namespace(first)
    one, other = xp.argmax(first, axis=0), xp.argmax(second, axis=0)
    overlaps = drop_nan(iou(one == label, other == label) for label in range(first.shape[0]))
    return divide(sum(overlaps), len(overlaps))
