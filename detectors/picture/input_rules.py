"""Rules on the input features: pictures that are no photographs.

They tell blank, drawn and noise pictures. They do not tell gradient attacks: the grey-level entropy
of an attacked photograph is that of the photograph.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from detectors.findings import Finding
from detectors.rule_book import BLANK_PICTURE, FLAT_PICTURE, NOISE_PICTURE

PIXEL_RULES = (BLANK_PICTURE, FLAT_PICTURE, NOISE_PICTURE)


@dataclass(frozen=True)
class InputLimits:
    """Where photographs end.

    Attributes:
        min_grey_entropy: nats; below it a picture is blank.
        max_flat_share: share of tiles without contrast; above it a picture is drawn.
        max_high_frequency_share: share of energy above half the Nyquist frequency; above it a
            picture is noise. White noise has about 0.8.
    """

    min_grey_entropy: float = 0.5
    max_flat_share: float = 0.98
    max_high_frequency_share: float = 0.6


def input_findings(features: Mapping[str, float], limits: InputLimits) -> tuple[Finding, ...]:
    """Judge measured input features; a picture that is blank is not called flat as well.

    >>> measured = {"grey_entropy": 0.0, "flat_share": 1.0, "high_frequency_share": float("nan")}
    >>> [finding.rule.code for finding in input_findings(measured, InputLimits())]
    ['blank_picture']
    """
    entropy, flat = features["grey_entropy"], features["flat_share"]
    high = features["high_frequency_share"]
    if entropy < limits.min_grey_entropy:
        return (Finding(BLANK_PICTURE, {"grey_entropy": entropy}),)
    if flat > limits.max_flat_share:
        return (Finding(FLAT_PICTURE, {"flat_share": flat}),)
    if high > limits.max_high_frequency_share:
        return (Finding(NOISE_PICTURE, {"high_frequency_share": high}),)
    return ()
