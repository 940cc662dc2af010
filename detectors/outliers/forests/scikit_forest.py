"""Grows the trees of an isolation forest with scikit-learn.

Apart from the scorer because scikit-learn takes seconds and 150 MB to import, and only a training
needs it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest

from detectors.outliers.forests.trees import Trees, average_path_length
from detectors.outliers.preparation import Matrix


def grow(rows: Matrix, trees: int, seed: int) -> Trees:
    """Trees on finite ``(n, features)`` rows."""
    return compile_forest(IsolationForest(n_estimators=trees, random_state=seed).fit(rows))


def compile_forest(forest: IsolationForest) -> Trees:
    """The trees of a fitted forest."""
    sources = [estimator.tree_ for estimator in forest.estimators_]
    trees = Trees.blank(1, len(sources), int(forest.max_samples_))
    for number, tree in enumerate(sources):
        _copy_tree(tree, trees, number)
    return trees


def _copy_tree(tree: Any, trees: Trees, number: int) -> None:
    """Copy one tree level by level; ``place`` is a node's number in the complete tree."""
    leaves = trees.lengths.shape[1]
    node, place = np.zeros(1, np.intp), np.zeros(1, np.intp)
    level = 0
    while len(node):
        ends = tree.children_left[node] < 0
        length = level + average_path_length(tree.n_node_samples[node[ends]])
        trees.lengths[number, _leftmost_leaf(place[ends], level, leaves)] = length
        node, place = node[~ends], place[~ends]
        trees.features[0, number, place] = tree.feature[node]
        trees.offsets[number, place] = tree.threshold[node]
        node = np.concatenate([tree.children_left[node], tree.children_right[node]])
        place = np.concatenate([2 * place + 1, 2 * place + 2])
        level += 1


def _leftmost_leaf(place: npt.NDArray[np.intp], level: int, leaves: int) -> npt.NDArray[np.intp]:
    """The leaf under each node of a level that is reached by going left."""
    width = 2**level
    return np.asarray((place - (width - 1)) * (leaves // width))
