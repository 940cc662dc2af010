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
    """All nodes of a level: features ``(terms, nodes, trees)`` and so on."""

    features: Indices
    weights: Floats
    cuts: Floats

    def compare(self, columns: Floats) -> Booleans:
        """Whether rows go right at each node, ``(nodes, trees, n)``."""
        total = columns[self.features[0]]
        for features, weights in zip(self.features[1:], self.weights, strict=True):
            total += columns[features] * weights[..., np.newaxis]
        return np.asarray(total > self.cuts[..., np.newaxis])


@dataclass(frozen=True, eq=False)
class TreeWalk:
    """Complete trees of one depth, laid out for a walk.

    Attributes:
        top: the first levels.
        features: ``(terms, trees * nodes)``; ``weights``, ``cuts`` and ``lengths`` likewise flat.
        roots: where each tree begins among all nodes, ``(trees, 1)``.
        depth: levels in all.
    """

    top: tuple[_Level, ...]
    features: Indices
    weights: Floats
    cuts: Floats
    lengths: npt.NDArray[np.float64]
    roots: Indices
    depth: int

    @classmethod
    def of(
        cls,
        features: npt.NDArray[np.int32],
        weights: npt.NDArray[np.float64],
        offsets: npt.NDArray[np.float64],
        lengths: npt.NDArray[np.float64],
    ) -> Self:
        """Of arrays as :class:`detectors.outliers.forests.trees.Trees` has them."""
        trees, nodes = offsets.shape
        wide, cuts = (
            features.astype(np.intp),
            _round_down(offsets) if len(features) == 1 else offsets,
        )
        depth = (nodes + 1).bit_length() - 1
        return cls(
            tuple(_cut_levels(wide, weights, cuts, min(_TOP_LEVELS, depth))),
            wide.reshape(len(wide), -1),
            weights.reshape(len(weights), trees * nodes),
            cuts.ravel(),
            np.round(lengths.ravel() / _UNIT) * _UNIT,
            np.arange(trees)[:, np.newaxis] * nodes,
            depth,
        )

    def sum_lengths(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The path lengths of rows ``(n, features)`` over all trees, ``(n,)``."""
        sums = np.empty(len(rows))
        # An archive may hold slopes that no fit gives.
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, len(rows), _ROWS):
                part = slice(first, first + _ROWS)
                columns = np.ascontiguousarray(rows[part].T, dtype=self.cuts.dtype)
                sums[part] = self.lengths.take(self.find_leaves(columns)).sum(axis=0)
        return sums

    def find_leaves(self, columns: Floats) -> Indices:
        """Where each row ends in each tree, as an index into all lengths, ``(trees, n)``."""
        place = self._walk_top(columns)
        place += self.roots + (2 ** len(self.top) - 1)
        to_left_child = 1 - self.roots
        start = np.arange(columns.shape[1])
        for _ in range(len(self.top), self.depth):
            above = self._sum_at(columns, start, place) > self.cuts.take(place)
            # A child's number follows from that of its parent.
            place += place + to_left_child
            place += above
        # What lies below the last nodes are the leaves.
        trees = len(self.roots)
        return np.asarray(place - len(self.cuts) // trees + np.arange(trees)[:, np.newaxis])

    def _walk_top(self, columns: Floats) -> Indices:
        """The node below the top levels, counted within its level, ``(trees, n)``."""
        place = np.zeros((len(self.roots), columns.shape[1]), np.intp)
        path: list[Booleans] = []
        for level in self.top:
            above = level.compare(columns)
            for right in path:
                half = len(above) // 2
                above = (above[half:] & right) | (above[:half] & ~right)
            path.append(above[0])
            place += place + above[0]
        return place

    def _sum_at(self, columns: Floats, start: Indices, place: Indices) -> Floats:
        """Weighted sums at one node for each tree and row, ``(trees, n)``."""
        rows = columns.shape[1]
        total: Floats = columns.take(self.features[0].take(place) * rows + start)
        for features, weights in zip(self.features[1:], self.weights, strict=True):
            total += columns.take(features.take(place) * rows + start) * weights.take(place)
        return total


def _cut_levels(features: Indices, weights: Floats, cuts: Floats, count: int) -> Iterator[_Level]:
    for level in range(count):
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
