"""How far a new baseline lies from another one: what each lets a clean picture show."""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np

from detectors.baseline.baseline import Baseline, Expectation, Line
from detectors.baseline.columns import Columns, scale_columns

# How much more a baseline may let a picture show than the one before it, as a factor, and than the
# one that a person or the first learning put in force.
MAX_STEP = 1.25
MAX_DRIFT = 2.0

Measurements = Mapping[str, float]


def list_tolerances(
    baseline: Baseline, sample: Sequence[Measurements], false_positive_rate: float
) -> dict[str, float]:
    """For each piece of evidence the logarithm of what is not called crafted yet.

    Args:
        sample: clean pictures; the middle one of each predictor is where lines are compared.
    """
    threshold, columns = baseline.threshold(false_positive_rate), Columns(sample)
    return {
        each.evidence.name: _tolerance(each, threshold, columns) for each in baseline.expectations
    }


def find_largest_move(
    old: Baseline, new: Baseline, sample: Sequence[Measurements], false_positive_rate: float
) -> tuple[str, float]:
    """The piece of evidence of which the new baseline lets most more pass, and by which factor."""
    before = list_tolerances(old, sample, false_positive_rate)
    after = list_tolerances(new, sample, false_positive_rate)
    moves = {name: after[name] - before[name] for name in after if name in before}
    if not moves:
        return "", 1.0
    name = max(moves, key=moves.__getitem__)
    return name, float(np.exp(moves[name]))


def is_too_far(step: float, drift: float) -> bool:
    """Whether a baseline moved too far in one night, or too far in all."""
    return log(step) > log(MAX_STEP) or log(drift) > log(MAX_DRIFT)


def _tolerance(expectation: Expectation, threshold: float, sample: Columns) -> float:
    units = threshold * expectation.limit / expectation.evidence.weight
    levels = [_usual_level(line, sample) + line.limit * units for line in expectation.lines]
    return sum(levels) / len(levels)


def _usual_level(line: Line, sample: Columns) -> float:
    """What the line expects of a picture whose predictors are the sample's medians."""
    _, predictors = scale_columns(line.part, sample)
    complete = predictors[:, ~np.isnan(predictors).any(axis=0)]
    if not complete.size:
        return line.intercept
    return line.intercept + float(np.dot(line.slopes, np.median(complete, axis=1)))
