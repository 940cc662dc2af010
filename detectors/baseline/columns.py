"""What a baseline makes of many pictures at once, each feature as one array.

The same formulas as in :mod:`detectors.baseline.baseline`, which judges single requests: learning
goes over the pictures dozens of times.
"""

from collections.abc import Mapping, Sequence
from math import log, nan

import numpy as np
import numpy.typing as npt

from detectors.baseline.attack_evidence import Part
from detectors.baseline.baseline import FLOOR, Baseline, Expectation, Line

Values = npt.NDArray[np.float64]
# Of floats, infinitely much of nothing is NaN without a word.
_as_floats = np.errstate(invalid="ignore", over="ignore")


class Columns:
    """Measured features of pictures; each is read once, and NaN where it was not measured."""

    def __init__(self, pictures: Sequence[Mapping[str, float]]) -> None:
        self._pictures = pictures
        self._columns: dict[str, Values] = {}

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, name: str) -> Values:
        """One feature of every picture, ``(n,)``."""
        if name not in self._columns:
            values = [features.get(name, nan) for features in self._pictures]
            self._columns[name] = np.array(values, dtype=np.float64)
        return self._columns[name]


@_as_floats
def scale_columns(part: Part, columns: Columns) -> tuple[Values, Values]:
    """A part's values ``(n,)`` and what each is given ``(predictors, n)``, as logarithms."""
    value = np.ones(len(columns))
    for name in part.factors:
        value = value * columns.read(name)
    given = [_on_scale(columns.read(name)) for name in part.predictors]
    return _on_scale(value), np.array(given).reshape(len(given), len(columns))


def expect_columns(predictions: Values) -> Values:
    """What a line predicts of each picture, no less than nothing at all."""
    return np.maximum(predictions, log(FLOOR))


@_as_floats
def measure_lines(lines: Sequence[Line], columns: Columns) -> Values:
    """Mean excess of the lines over each picture, ``(n,)``; NaN where something is missing."""
    means: Values = np.mean([_measure_line(line, columns) for line in lines], axis=0)
    return means


def measure_excesses(expectation: Expectation, columns: Columns) -> Values:
    """:meth:`Expectation.excess` of each picture, ``(n,)``."""
    mean = measure_lines(expectation.lines, columns)
    return expectation.evidence.weight * mean / expectation.limit


def score_columns(baseline: Baseline, columns: Columns, *, first_look: bool = False) -> Values:
    """The value of :meth:`Baseline.score` of each picture, ``(n,)``."""
    excesses = [
        measure_excesses(each, columns)
        for each in baseline.expectations
        if not (first_look and each.evidence.later)
    ]
    nothing = np.full(len(columns), nan)
    largest: Values = np.fmax.reduce([nothing, *excesses])
    return largest


def cascade_columns(baseline: Baseline, columns: Columns) -> Values:
    """The value of :meth:`Baseline.cascade` of each picture, ``(n,)``."""
    first = score_columns(baseline, columns, first_look=True)
    return np.where(first < baseline.look_again, first, score_columns(baseline, columns))


def _measure_line(line: Line, columns: Columns) -> Values:
    value, predictors = scale_columns(line.part, columns)
    prediction = line.intercept + np.array(line.slopes) @ predictors
    return (value - expect_columns(prediction)) / line.limit


def _on_scale(values: Values) -> Values:
    return np.log(np.maximum(values, 0.0) + FLOOR)
