"""The walk of many rows through all trees of a forest at once.

The first levels have few nodes: there every node is looked at for every row, column by column,
which costs less than to look one up. Below, each row looks up its own node. Single features are
compared in float32, as scikit-learn does: cuts are rounded down to it, which changes no comparison.
Sums are in float64, in which the cuts were made: rows that are equal then stay together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

# Rows walked at once: enough to spread the cost of a call, few enough to stay in the cache.
_ROWS = 256
_TOP_LEVELS = 3
# Path lengths in this unit add up without rounding: one row and many give the same bits.
_UNIT = 2.0**-36


@dataclass(frozen=True, eq=False)
class _Level:
    """All nodes of a level, looked at one by one: ``(terms, nodes, trees)`` and so on."""

    features: Indices
    weights: Floats
    cuts: Floats

    def compare(self, columns: Floats) -> Booleans:
        """Whether rows go right at each node, ``(nodes, trees, n)``."""
        total = columns[self.features[0]]
        for features, weights in zip(self.features[1:], self.weights, strict=True):
            total += columns[features] * weights[..., np.newaxis]
        return np.asarray(total > self.cuts[..., np.newaxis])

    def flatten(self) -> "_LowerLevel":
        """The same nodes, those of a tree one after the other."""
        features, weights = self.features.swapaxes(1, 2), self.weights.swapaxes(1, 2)
        return _LowerLevel(
            np.ascontiguousarray(features).reshape(len(features), -1),
            np.ascontiguousarray(weights).reshape(len(weights), self.cuts.size),
            self.cuts.T.ravel(),
        )


@dataclass(frozen=True, eq=False)
class _LowerLevel:
    """Nodes of a level that rows look up: ``(terms, trees * nodes)`` and so on."""

    features: Indices
    weights: Floats
    cuts: Floats

    def compare(self, rows: Floats, starts: Indices, places: Indices) -> Booleans:
        """Whether each row goes right at its node of each tree, ``(trees, n)``.

        Args:
            rows: ``(n, features)``, contiguous.
            starts: where each of them begins, ``(n,)``.
            places: numbers of nodes, ``(trees, n)``.
        """
        total = rows.take(self.features[0].take(places) + starts)
        for features, weights in zip(self.features[1:], self.weights, strict=True):
            total += rows.take(features.take(places) + starts) * weights.take(places)
        return np.asarray(total > self.cuts.take(places))


@dataclass(frozen=True, eq=False)
class TreeWalk:
    """Complete trees of one depth, laid out for a walk.

    Attributes:
        top, lower: the first levels, and those below.
        lengths: path length at each leaf, those of a tree one after the other.
        trees: how many.
    """

    top: tuple[_Level, ...]
    lower: tuple[_LowerLevel, ...]
    lengths: npt.NDArray[np.float64]
    trees: int

    @classmethod
    def of(
        cls,
        features: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float64],
        offsets: npt.NDArray[np.float64],
        lengths: npt.NDArray[np.float64],
    ) -> Self:
        """Of arrays as :class:`detectors.outliers.forests.trees.Trees` has them."""
        cuts = _round_down(offsets) if len(features) == 1 else offsets
        levels = tuple(_cut_levels(features.astype(np.intp), weights, cuts))
        return cls(
            levels[:_TOP_LEVELS],
            tuple(level.flatten() for level in levels[_TOP_LEVELS:]),
            np.round(lengths.ravel() / _UNIT) * _UNIT,
            len(offsets),
        )

    def sum_lengths(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The path lengths of rows ``(n, features)`` over all trees, ``(n,)``."""
        sums = np.empty(len(rows))
        # An archive may hold slopes that no fit gives.
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, len(rows), _ROWS):
                part = slice(first, first + _ROWS)
                some = np.ascontiguousarray(rows[part], dtype=self.top[0].cuts.dtype)
                sums[part] = self.lengths.take(self.find_leaves(some)).sum(axis=0)
        return sums

    def find_leaves(self, rows: Floats) -> Indices:
        """Where each row ends in each tree, as an index into all lengths, ``(trees, n)``."""
        places = self._walk_top(np.ascontiguousarray(rows.T))
        places += np.arange(self.trees)[:, np.newaxis] * 2 ** len(self.top)
        starts = np.arange(len(rows)) * rows.shape[1]
        for level in self.lower:
            above = level.compare(rows, starts, places)
            # A child's number in its level follows from that of its parent.
            places += places
            places += above
        return places

    def _walk_top(self, columns: Floats) -> Indices:
        """The node below the top levels, counted within its level, ``(trees, n)``."""
        place = np.zeros((self.trees, columns.shape[1]), np.intp)
        path: list[Booleans] = []
        for level in self.top:
            above = level.compare(columns)
            for right in path:
                half = len(above) // 2
                above = (above[half:] & right) | (above[:half] & ~right)
            path.append(above[0])
            place += place + above[0]
        return place


def _cut_levels(features: Indices, weights: Floats, cuts: Floats) -> Iterator[_Level]:
    for level in range((cuts.shape[1] + 1).bit_length() - 1):
        nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
        yield _Level(
            np.ascontiguousarray(features[:, :, nodes].swapaxes(1, 2)),
            np.ascontiguousarray(weights[:, :, nodes].swapaxes(1, 2)),
            np.ascontiguousarray(cuts[:, nodes].T),
        )


def _round_down(offsets: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The largest float32 that is not above: the same float32 values are above both."""
    cuts = offsets.astype(np.float32)
    return np.where(cuts > offsets, np.nextafter(cuts, np.float32(-np.inf)), cuts)
