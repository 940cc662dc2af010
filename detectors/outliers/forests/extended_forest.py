"""Extended isolation forest: random cuts along slopes instead of along single features.

Hariri, Carrasco Kind & Brunner, "Extended Isolation Forest", IEEE TKDE 33(4), 2021. Cuts along
single features make bands of low scores where two groups of rows cast their shadows; sloped cuts do
not. Each cut here looks at two features, extension level 1 of the paper: on tables of 6 to 36
features more of them were not better, and they cost time.
"""

import numpy as np
import numpy.typing as npt

from detectors.outliers.forests.forest import ForestScorer
from detectors.outliers.forests.trees import Trees, average_path_length, depth_for
from detectors.outliers.preparation import Matrix, Normal, Vector

_TREES = 200
_SAMPLE = 256


class ExtendedForestScorer(ForestScorer):
    """Trees over scaled features, since a slope needs features in the same unit."""

    TERMS = 2

    @classmethod
    def _grow_trees(cls, normal: Normal, rows: Matrix, seed: int) -> Trees:
        return grow(normal.scale(rows), np.random.default_rng(seed))

    def score(self, rows: Matrix) -> Vector:
        """Between 0 and 1, as an isolation forest."""
        return self.trees.score(self.normal.scale(rows))


def grow(rows: Matrix, random: np.random.Generator) -> Trees:
    """Grow all trees level by level on ``(n, features)`` rows, each on a sample of its own."""
    sample = min(_SAMPLE, len(rows))
    trees = Trees.blank(min(ExtendedForestScorer.TERMS, rows.shape[1]), _TREES, sample)
    samples = [random.choice(len(rows), sample, replace=False) for _ in range(_TREES)]
    growth = _Growth(trees, rows[np.concatenate(samples)])
    for level in range(depth_for(sample)):
        growth.end(level)
        growth.cut(level, random)
    growth.end(depth_for(sample))
    return trees


class _Growth:
    """The rows of all trees on their way down. Only used while trees are grown.

    ``node`` is where a row stands, counted within its level. ``open`` says which nodes of the level
    still hold rows that nothing has separated, ``(trees, nodes)``.
    """

    def __init__(self, trees: Trees, rows: Matrix) -> None:
        self._trees = trees
        self._rows = rows
        self._tree = np.repeat(np.arange(_TREES), trees.sample)
        self._node = np.zeros(len(rows), np.intp)
        self._open = np.ones((_TREES, 1), bool)

    def end(self, level: int) -> None:
        """Write down the path length at nodes that end here, on the leaf that lies to the left."""
        nodes = 2**level
        lengths = self._trees.lengths[:, :: self._trees.lengths.shape[1] // nodes]
        count = np.bincount(self._groups(nodes), minlength=_TREES * nodes).reshape(_TREES, nodes)
        last = nodes == self._trees.lengths.shape[1]
        ends = self._open if last else self._open & (count <= 1)
        lengths[ends] = level + average_path_length(count[ends])
        self._open = self._open & ~ends

    def cut(self, level: int, random: np.random.Generator) -> None:
        """Cut every open node by a plane through a random point of the box around its rows."""
        nodes = 2**level
        groups = self._groups(nodes)
        features, weights = self._slopes(_TREES * nodes, random)
        offsets, sums = np.zeros(_TREES * nodes), np.zeros(len(groups))
        for feature, weight in zip(features, [np.ones(_TREES * nodes), *weights], strict=True):
            values = self._rows[np.arange(len(groups)), feature[groups]]
            offsets += weight * _points_between(values, groups, len(feature), random)
            sums += values * weight[groups]
        shape, here = (_TREES, nodes), slice(nodes - 1, 2 * nodes - 1)
        self._trees.features[:, :, here] = features.reshape(-1, *shape)
        self._trees.weights[:, :, here] = weights.reshape(-1, *shape)
        self._trees.offsets[:, here] = np.where(self._open, offsets.reshape(shape), np.inf)
        self._node = 2 * self._node + (sums > self._trees.offsets[:, here].ravel()[groups])
        self._open = np.repeat(self._open, 2, axis=1)

    def _groups(self, nodes: int) -> npt.NDArray[np.intp]:
        return np.asarray(self._tree * nodes + self._node)

    def _slopes(
        self, count: int, random: np.random.Generator
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """Different features for each plane, ``(terms, count)``, and all weights but the first.

        The slopes are distributed evenly: normal weights, divided by the first one. That which
        side is the right one no longer varies makes no difference to a path length.
        """
        terms, columns = len(self._trees.features), self._rows.shape[1]
        order = np.argpartition(random.random((count, columns)), terms - 1, axis=1)
        weights = random.normal(size=(terms, count))
        return order[:, :terms].T, weights[1:] / weights[0]


def _points_between(
    values: Vector, groups: npt.NDArray[np.intp], count: int, random: np.random.Generator
) -> Vector:
    """A random point between the smallest and the largest value of each group; 0 if it is empty."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    is_full = low <= high
    return random.uniform(np.where(is_full, low, 0.0), np.where(is_full, high, 0.0))
