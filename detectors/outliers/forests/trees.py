"""Isolation trees as flat arrays, walked for all trees and many rows at once.

scikit-learn walks one tree after the other from Python, which takes milliseconds even for a single
row. Here all trees have the same depth: a row takes a fixed number of steps, and each step is a
handful of array operations on all trees; see :mod:`detectors.outliers.forests.tree_walk`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.forests.tree_walk import TreeWalk
from detectors.outliers.preparation import Arrays, Matrix, Vector, check_array

Floats = npt.NDArray[np.float64]

_MAX_DEPTH = 16
# Bounds the memory of a walk; forests of ours have 200.
_MAX_TREES = 1_000


@dataclass(frozen=True, eq=False)
class Trees:
    """Complete binary trees of one depth; node ``i`` has the children ``2 i + 1`` and ``2 i + 2``.

    A row goes right where the weighted sum of its features is above the node's offset. Where a
    tree ended earlier, the offset is infinite and every row goes left down to the last level.

    Attributes:
        features: columns that a node looks at, int32 ``(terms, trees, nodes)``.
        weights: weights of the second column and further ones, ``(terms - 1, trees, nodes)``; the
            first one weighs 1.
        offsets: ``(trees, nodes)``.
        lengths: path length of the rows that end at a leaf, ``(trees, nodes + 1)``.
        sample: rows that each tree was grown on, at least 2.
    """

    features: npt.NDArray[np.int32]
    weights: Floats
    offsets: Floats
    lengths: Floats
    sample: int

    @classmethod
    def blank(cls, terms: int, trees: int, sample: int) -> Self:
        """Trees for samples of this size in which every row goes left."""
        nodes = 2 ** depth_for(sample) - 1
        return cls(
            np.zeros((terms, trees, nodes), np.int32),
            np.zeros((terms - 1, trees, nodes)),
            np.full((trees, nodes), np.inf),
            np.zeros((trees, nodes + 1)),
            sample,
        )

    def score(self, rows: Matrix) -> Vector:
        """Scores ``(n,)`` of finite rows: near 1 is isolated at once, near 0 never.

        The score ``2 ** -(mean length / expected length)`` of Liu, Ting & Zhou (ICDM 2008).
        """
        lengths = self.walk.sum_lengths(rows) / len(self.lengths)
        return np.asarray(np.exp2(-lengths / average_path_length(self.sample)))

    @cached_property
    def walk(self) -> TreeWalk:
        """The trees as they are walked."""
        return TreeWalk.of(self.features, self.weights, self.offsets, self.lengths)

    def arrays(self) -> Arrays:
        """All arrays and the size of the sample by name."""
        return {
            "features": self.features,
            "weights": self.weights,
            "offsets": self.offsets,
            "lengths": self.lengths,
            "sample": np.array(self.sample, np.int64),
        }

    @classmethod
    def restore(cls, arrays: Arrays, terms: int, columns: int) -> Self:
        """What ``arrays`` gave, for nodes of so many terms and rows of so many columns.

        A walk takes a fixed number of steps and the place of a child follows from that of its
        parent, so wrong values can give wrong scores but no step out of the arrays.

        Raises:
            LookupError, ValueError: it is something else.
        """
        sample = int(check_array(arrays["sample"], np.int64, ()))
        if not 2 <= sample <= 2**_MAX_DEPTH:
            raise ValueError("not the size of a sample")
        nodes = 2 ** depth_for(sample) - 1
        features = check_array(arrays["features"], np.int32, (terms, -1, nodes))
        trees = features.shape[1]
        if not 1 <= trees <= _MAX_TREES:
            raise ValueError("no trees, or too many")
        if not 0 <= features.min() <= features.max() < columns:
            raise ValueError("a tree looks at a column that does not exist")
        return cls(
            features,
            check_array(arrays["weights"], np.float64, (terms - 1, trees, nodes)),
            _check_offsets(arrays["offsets"], (trees, nodes)),
            _check_lengths(arrays["lengths"], (trees, nodes + 1)),
            sample,
        )


def _check_offsets(offsets: Floats, shape: tuple[int, int]) -> Floats:
    """Where a tree ended, the offset is infinite."""
    check_array(np.where(offsets == np.inf, 0, offsets), np.float64, shape)
    return offsets


def _check_lengths(lengths: Floats, shape: tuple[int, int]) -> Floats:
    if (check_array(lengths, np.float64, shape) < 0).any():
        raise ValueError("a path of less than no steps")
    return lengths


def depth_for(sample: int) -> int:
    """Levels below the root: the average depth of a tree of so many rows.

    >>> depth_for(256), depth_for(24), depth_for(2)
    (8, 5, 1)
    """
    return int(np.ceil(np.log2(sample)))


def average_path_length(rows: npt.ArrayLike) -> Vector:
    """Mean depth of a failed search in a binary tree of so many rows (Liu et al., equation 1).

    >>> average_path_length([0, 1, 2, 256]).round(3).tolist()
    [0.0, 0.0, 1.0, 10.245]
    """
    rows = np.asarray(rows)
    many = np.maximum(rows, 3)
    length = 2 * (np.log(many - 1.0) + np.euler_gamma) - 2 * (many - 1.0) / many
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, length))
