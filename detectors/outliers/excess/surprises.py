"""How surprising what attacks raise is among clean rows, given what explains it there.

As in a baseline, a line through clean rows says how much of a part is expected: an unsure parse
moves more under a harmless change (see :mod:`detectors.baseline.baseline`). Here what lies above
becomes a surprise in nats, so that signs can be compared with each other (see
:mod:`detectors.outliers.excess.tails`). The largest of eight signs is large more often than one
that stands alone, so the largest of each way is held against that of clean rows once more: every
way of attack has the same share of the clean rows that look like one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.excess.signs import Columns, Places
from detectors.outliers.excess.tails import Tail
from detectors.outliers.preparation import Arrays, Matrix, Vector, check_array

# Logarithms begin here; a line may go on below it.
_FLOOR = 1e-4
# The unit of a part is the residual that one clean row in a hundred exceeds.
_UNIT_SHARE, _MIN_UNIT = 0.01, 0.05
_LARGEST = 1e30
# The others count so little that no order changes by it but that of equals; without them nothing
# would explain a row of which two surprises are equally large.
_OTHERS = 0.01


@dataclass(frozen=True, eq=False)
class Surprises:
    """What clean rows show of each sign.

    Attributes:
        lines: of each part, ``(p, 4)``: intercept, two slopes, unit of the residual.
        tails: of each sign, then of each count.
        joint: of the largest surprise of each way that several of them show.
    """

    places: Places
    lines: Matrix
    tails: tuple[Tail, ...]
    joint: tuple[Tail, ...]

    @classmethod
    def among(cls, rows: Matrix, places: Places) -> Self:
        """Those of ``(n, features)`` clean rows; NaN means not measured."""
        pairs = zip(places.factors, places.predictors, strict=True)
        lines = [
            _fit_line(_product(rows, factors), _list_predictors(rows, by)) for factors, by in pairs
        ]
        array = np.array(lines, dtype=np.float64).reshape(-1, 4)
        tails = tuple(map(Tail.among, _measure(rows, places, array)))
        single = cls(places, array, tails, ())
        joint = tuple(map(Tail.among, single._join_ways(single._measure_each(rows))))
        return cls(places, array, tails, joint)

    def of(self, rows: Matrix) -> list[Vector]:
        """Of each way, in nats, ``(n,)``; 0 where it was not measured or is common."""
        each = self._measure_each(rows)
        alone = [each[way[0]] for way in self.places.list_ways() if len(way) == 1]
        pairs = zip(self.joint, self._join_ways(each), strict=True)
        return [*alone, *(tail.surprise(largest) for tail, largest in pairs)]

    def _measure_each(self, rows: Matrix) -> list[Vector]:
        measures = _measure(rows, self.places, self.lines)
        return [tail.surprise(values) for tail, values in zip(self.tails, measures, strict=True)]

    def _join_ways(self, each: list[Vector]) -> list[Vector]:
        ways = [way for way in self.places.list_ways() if len(way) > 1]
        return [join_surprises([each[number] for number in way]) for way in ways]

    def arrays(self) -> Arrays:
        """The arrays by name."""
        tails, joint = _table_of(self.tails), _table_of(self.joint)
        return {**self.places.arrays(), "lines": self.lines, "tails": tails, "joint": joint}

    @classmethod
    def restore(cls, arrays: Arrays, features: int) -> Self:
        """What ``arrays`` gave, for rows of so many features.

        Raises:
            LookupError, ValueError: it is something else.
        """
        places = Places.restore(arrays, features)
        lines = check_array(arrays["lines"], np.float64, (len(places.factors), 4))
        if not (lines[:, 3] >= _MIN_UNIT).all():
            raise ValueError("a scale that no fit gives")
        shared = sum(len(way) > 1 for way in places.list_ways())
        tails = _restore_tails(arrays["tails"], len(places.ways))
        return cls(places, lines, tails, _restore_tails(arrays["joint"], shared))


def join_surprises(surprises: Sequence[Vector]) -> Vector:
    """The largest, and a hundredth of all together, of surprises ``(n,)`` each.

    Column by column, so that a score follows from its own row to the last bit.
    """
    most, total = surprises[0], surprises[0]
    for each in surprises[1:]:
        most, total = np.maximum(most, each), total + each
    return np.asarray(most + _OTHERS * total)


def _table_of(tails: Sequence[Tail]) -> Matrix:
    return np.array([tail.numbers for tail in tails], dtype=np.float64).reshape(-1, 4)


def _restore_tails(table: npt.NDArray[np.float64], count: int) -> tuple[Tail, ...]:
    rows = check_array(table, np.float64, (count, 4))
    return tuple(Tail.restore(*numbers) for numbers in rows.tolist())


def _measure(rows: Matrix, places: Places, lines: Matrix) -> list[Vector]:
    """Each sign in units, then each count; each number follows from its own row to the last bit."""
    pairs = zip(places.factors, places.predictors, lines, strict=True)
    parts = [
        _excess(_product(rows, factors), _list_predictors(rows, by), line)
        for factors, by, line in pairs
    ]
    means = [
        sum((parts[place] for place in _present(members)), np.zeros(len(rows)))
        / len(_present(members))
        for members in places.members
    ]
    return [*means, *(_clip(rows[:, column]) for column in places.counts)]


def _excess(values: Vector, predictors: list[Vector], line: Vector) -> Vector:
    expected = np.full(len(values), line[0])
    for slope, predictor in zip(line[1:3], predictors, strict=False):
        expected = expected + slope * predictor
    return np.asarray((values - np.maximum(expected, log(_FLOOR))) / line[3])


def _fit_line(values: Vector, predictors: list[Vector]) -> list[float]:
    """Least squares, and the unit; the slopes of what is not given are 0."""
    table = np.column_stack([values, *predictors])
    table = table[~np.isnan(table).any(axis=1)]
    design = np.column_stack([np.ones(len(table)), table[:, 1:]])
    slopes, *_ = np.linalg.lstsq(design, table[:, 0], rcond=None)
    line = np.array([*slopes, *[0.0] * (3 - len(slopes)), 1.0])
    residuals = _excess(table[:, 0], list(table[:, 1:].T), line)
    unit = max(float(np.quantile(residuals, 1 - _UNIT_SHARE)), _MIN_UNIT)
    return [*line[:3].tolist(), unit]


def _product(rows: Matrix, columns: Columns) -> Vector:
    product = np.ones(len(rows))
    for column in _present(columns):
        product = product * _clip(rows[:, column])
    return _on_scale(product)


def _list_predictors(rows: Matrix, columns: Columns) -> list[Vector]:
    return [_on_scale(_clip(rows[:, column])) for column in _present(columns)]


def _present(columns: Columns) -> list[int]:
    return [column for column in columns.tolist() if column >= 0]


def _clip(values: Vector) -> Vector:
    return np.asarray(np.clip(values, 0.0, _LARGEST))


def _on_scale(values: Vector) -> Vector:
    return np.asarray(np.log(values + _FLOOR))
