"""What makes a request an outlier: distances from the median, in interquartile ranges."""

from collections.abc import Mapping
from math import isnan

from dashboard.show import words
from detectors.registry import FEATURE_NAMES, FeatureVector, find_feature
from store.pages.request_detail import NormalRange


def feature_label(name: str) -> str:
    """What a feature means; its name in words if this version does not know it."""
    return find_feature(name).meaning if name in FEATURE_NAMES else words.label(name)


def never_differs(normal: NormalRange | None) -> bool:
    """Whether half of the normal requests have one and the same value: distances mean nothing."""
    return normal is not None and normal.high == normal.low


def measurable(
    contributions: Mapping[str, float], normal: Mapping[str, NormalRange]
) -> dict[str, float]:
    """The contributions whose distances are worth drawing."""
    return {
        name: distance
        for name, distance in contributions.items()
        if not never_differs(normal.get(name))
    }


def describe_contribution(
    name: str, distance: float, features: FeatureVector | None, normal: NormalRange | None
) -> str:
    """One contribution in words: how far from the median, and the value with its unit."""
    value = _value(name, features)
    if normal is not None and never_differs(normal):
        usual = words.value_with_unit(name, normal.middle)
        return (
            f"{feature_label(name)}: {value or 'another value'}; normal never differs from {usual}"
        )
    side = "above" if distance > 0 else "below"
    size = f"{_phrase_ranges(abs(distance))} {side} the median"
    return f"{feature_label(name)}: {size}" + (f", at {value}" if value else "")


def _phrase_ranges(size: float) -> str:
    if size > words.MAX_RANGES:
        return f"more than {words.number(words.MAX_RANGES)} interquartile ranges"
    number = words.number(size)
    return f"{number} interquartile range{'' if number == '1' else 's'}"


def _value(name: str, features: FeatureVector | None) -> str:
    if features is None or name not in FEATURE_NAMES or isnan(features[name]):
        return ""
    return words.value_with_unit(name, features[name])
