"""Numbers that attacks raise, and where they stand in a row of features.

They are most of those of a baseline, and three that a baseline has no use for: each part that comes
back in the first look by itself, the queries of a search, and what hides behind a tile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.baseline.attack_evidence import EVIDENCE, KNOWN, Part
from detectors.outliers.preparation import Arrays, Matrix, check_array

Columns = npt.NDArray[np.int64]
Parts = tuple[Part, ...]


class Way(IntEnum):
    """What an attack does to a picture or its parse; several signs may show the same."""

    PRINTED = 0
    """Colours that cameras do not make."""
    MOVED = 1
    """What the model sees does not stay."""
    RETURNED = 2
    """What the model does not see comes back."""
    SEARCHED = 3
    """One picture again and again."""
    HIDDEN = 4
    """Something rules the parse from behind a tile."""


@dataclass(frozen=True)
class Sign:
    """A number that attacks raise.

    Attributes:
        parts: what is averaged; see :class:`detectors.baseline.attack_evidence.Part`.
    """

    way: Way
    parts: Parts


# What a baseline judges a second time, joined with something else, is one sign here.
_WAYS = {
    "printed_colours": Way.PRINTED,
    "torn_tile": Way.MOVED,
    "withdrawn_parts": Way.MOVED,
    "returned_persons": Way.RETURNED,
    "torn_tile_and_members": Way.MOVED,
    "phantoms": Way.MOVED,
}
_RETURNED = ("person", "face", "hair", "arms", "legs", "feet", "clothes")
SIGNS = (
    *(
        Sign(_WAYS[evidence.name], evidence.parts)
        for evidence in EVIDENCE
        if evidence.name in _WAYS
    ),
    *(Sign(Way.RETURNED, (Part((f"glance_returned_{part}_share",), KNOWN),)) for part in _RETURNED),
)

COUNTS = {"probing_score": Way.SEARCHED, "trigger_score": Way.HIDDEN}
"""Features that are 0 in nearly all clean requests, whatever else these show."""

MIN_MEASURED = 30
"""A sign that fewer rows have says nothing."""

# Of features in a product, of features that explain it, of parts in a sign: no more than two.
_MOST = 2
_NONE = -1


@dataclass(frozen=True, eq=False)
class Places:
    """Columns of the signs; -1 stands for none.

    Attributes:
        factors: features whose product is a part, ``(p, 2)``.
        predictors: features that explain it, ``(p, 2)``.
        members: numbers of the parts that are averaged for a sign, ``(s, 2)``.
        counts: features that are taken as they are, ``(c,)``.
        ways: the way of each sign, then of each count, ``(s + c,)``.
    """

    factors: Columns
    predictors: Columns
    members: Columns
    counts: Columns
    ways: Columns

    @classmethod
    def among(cls, names: Sequence[str], rows: Matrix) -> Self:
        """Those of the signs that enough ``(n, features)`` rows have; NaN means not measured."""
        columns = {name: place for place, name in enumerate(names)}
        measured = ~np.isnan(rows)
        signs = [sign for sign in SIGNS if _is_measured(_names_of(sign), columns, measured)]
        counts = [name for name in COUNTS if _is_measured((name,), columns, measured)]
        parts = list(dict.fromkeys(part for sign in signs for part in sign.parts))
        return cls(
            _pad([[columns[name] for name in part.factors] for part in parts]),
            _pad([[columns[name] for name in part.predictors] for part in parts]),
            _pad([[parts.index(part) for part in sign.parts] for sign in signs]),
            np.array([columns[name] for name in counts], np.int64),
            np.array([*(sign.way for sign in signs), *map(COUNTS.__getitem__, counts)], np.int64),
        )

    def arrays(self) -> Arrays:
        """The arrays by name."""
        return {
            "factors": self.factors,
            "predictors": self.predictors,
            "members": self.members,
            "counts": self.counts,
            "ways": self.ways,
        }

    def list_ways(self) -> list[list[int]]:
        """The numbers of the signs and counts of each way that there is."""
        return [np.flatnonzero(self.ways == way).tolist() for way in np.unique(self.ways)]

    @classmethod
    def restore(cls, arrays: Arrays, features: int) -> Self:
        """What ``arrays`` gave, for rows of so many features.

        Raises:
            LookupError, ValueError: it is something else.
        """
        factors = _check(arrays["factors"], (-1, _MOST), features)
        predictors = _check(arrays["predictors"], factors.shape, features)
        members = _check(arrays["members"], (-1, _MOST), len(factors))
        counts = _check(arrays["counts"], (-1,), features)
        if not ((factors[:, 0] >= 0).all() and (members[:, 0] >= 0).all() and (counts >= 0).all()):
            raise ValueError("a sign of nothing")
        ways = check_array(arrays["ways"], np.int64, (len(members) + len(counts),))
        return cls(factors, predictors, members, counts, ways)


def _names_of(sign: Sign) -> tuple[str, ...]:
    return tuple(name for part in sign.parts for name in (*part.factors, *part.predictors))


def _is_measured(
    names: Sequence[str], columns: dict[str, int], measured: npt.NDArray[np.bool_]
) -> bool:
    if not columns.keys() >= set(names):
        return False
    together = measured[:, [columns[name] for name in names]].all(axis=1)
    return int(together.sum()) >= MIN_MEASURED


def _pad(places: Sequence[Sequence[int]]) -> Columns:
    rows = [[*each, *[_NONE] * (_MOST - len(each))] for each in places]
    return np.array(rows, np.int64).reshape(-1, _MOST)


def _check(array: npt.NDArray[np.int64], shape: tuple[int, ...], below: int) -> Columns:
    places = check_array(array, np.int64, shape)
    if not ((places >= _NONE) & (places < below)).all():
        raise ValueError("a column that rows do not have")
    return places
