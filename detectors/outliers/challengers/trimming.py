"""Trimming of a training sample by leave-cluster-out scores.

A row that only looks normal because its own kind is among the training rows is what poison is: many
requests that lie close together, far from all others. So the sample is cut into clusters, and each
is scored by neighbours that saw nothing of it, nor of other clusters that lie far out. A cluster
that then lies beyond nearly all rows, and much farther than with its own kind, is left out. A rare
row that stands alone is as far from the others with and without its cluster, and stays: it is the
tail by which the next one is judged.
"""

import numpy as np
import numpy.typing as npt

from detectors.outliers.nearest_search import NEAREST, NearestSearch
from detectors.outliers.preparation import Matrix, Normal, Vector

# A large group falls into several of many clusters, a small one hides in one of a few: so each.
_CLUSTERS, _ROUNDS = (4, 12, 36, 108), 10
_REFERENCES, _BATCH = 2_000, 1_024
_MIN_ROWS = 200
# A cluster goes if its middle lies beyond 99 of 100 rows once it is left out, and by so much
# farther than with it.
_BEYOND, _FARTHER = 0.99, 1.2
_MAX_SHARE = 0.1

Labels = npt.NDArray[np.intp]


def choose_rows(rows: Matrix, seed: int) -> npt.NDArray[np.bool_]:
    """Which of ``(n, features)`` rows a model may learn from, ``(n,)``; at least nine in ten.

    Fewer than 200 rows are all kept: their clusters are too small to say anything.
    """
    kept = np.ones(len(rows), bool)
    if len(rows) < _MIN_ROWS:
        return kept
    random = np.random.default_rng(seed)
    points = Normal.of(rows).scale(rows)
    for count in _CLUSTERS:
        # What is left out already makes nothing look normal any more.
        rest = np.flatnonzero(kept)
        labels = _find_clusters(points[rest], count, random)
        for cluster in _list_foreign(points[rest], labels, random):
            mine = rest[labels == cluster]
            if kept.sum() - len(mine) >= (1 - _MAX_SHARE) * len(rows):
                kept[mine] = False
    return kept


def _list_foreign(points: Matrix, labels: Labels, random: np.random.Generator) -> list[int]:
    """The clusters that look normal by nothing but themselves, the farthest one first."""
    references = random.choice(len(points), min(_REFERENCES, len(points)), replace=False)
    apart, together = _score(points, labels, references)
    limit = np.quantile(together, _BEYOND)
    far = [each for each, middle in _list_middles(apart, labels).items() if middle > limit]
    # One kind may lie in several clusters, of which each would make the others look normal.
    mine = np.isin(labels, far)
    elsewhere = references[~mine[references]]
    if mine.any() and len(elsewhere) >= NEAREST:
        apart[mine] = _measure(NearestSearch.of(points[elsewhere]), points[mine])
    without, within = _list_middles(apart, labels), _list_middles(together, labels)
    foreign = [each for each in far if without[each] > max(limit, _FARTHER * within[each])]
    return sorted(foreign, key=lambda cluster: -without[cluster])


def _list_middles(values: Vector, labels: Labels) -> dict[int, float]:
    """The median of each cluster."""
    return {int(each): float(np.median(values[labels == each])) for each in np.unique(labels)}


def _score(points: Matrix, labels: Labels, references: Labels) -> tuple[Vector, Vector]:
    """Distances to the nearest references of other clusters, and to those of any, ``(n,)`` each."""
    together = _measure(NearestSearch.of(points[references]), points)
    apart = together.copy()
    for cluster in np.unique(labels):
        mine = np.flatnonzero(labels == cluster)
        elsewhere = references[labels[references] != cluster]
        # A cluster that is nearly everything has nothing to be held against.
        if len(elsewhere) >= NEAREST:
            apart[mine] = _measure(NearestSearch.of(points[elsewhere]), points[mine])
    return apart, together


def _measure(search: NearestSearch, points: Matrix) -> Vector:
    """Mean distance to the nearest stored points but the first, which may be the row itself."""
    parts = [points[first : first + _BATCH] for first in range(0, len(points), _BATCH)]
    return np.concatenate([search.nearest(part)[:, 1:].mean(axis=1) for part in parts])


def _find_clusters(points: Matrix, count: int, random: np.random.Generator) -> Labels:
    """Lloyd's k-means from centres that lie far from each other, ``(n,)`` labels."""
    centres = _spread_centres(points, count, random)
    labels = _assign(points, centres)
    for _ in range(_ROUNDS):
        for number in range(len(centres)):
            mine = labels == number
            if mine.any():
                centres[number] = points[mine].mean(axis=0)
        former, labels = labels, _assign(points, centres)
        if np.array_equal(labels, former):
            break
    return labels


def _spread_centres(points: Matrix, count: int, random: np.random.Generator) -> Matrix:
    """Each next centre is drawn by its squared distance to those before (k-means++)."""
    centres = points[[int(random.integers(len(points)))]]
    nearest = np.square(points - centres[0]).sum(axis=1)
    while len(centres) < count and nearest.sum() > 0:
        choice = int(random.choice(len(points), p=nearest / nearest.sum()))
        centres = np.vstack([centres, points[choice]])
        nearest = np.minimum(nearest, np.square(points - points[choice]).sum(axis=1))
    return centres


def _assign(points: Matrix, centres: Matrix) -> Labels:
    squares = np.square(centres).sum(axis=1) - 2 * points @ centres.T
    return np.asarray(squares.argmin(axis=1))
