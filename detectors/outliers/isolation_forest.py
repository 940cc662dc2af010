"""Isolation forest: rows that few random cuts separate from the others are unusual.

Liu, Ting & Zhou, "Isolation Forest", ICDM 2008. scikit-learn grows the trees; ``Trees`` walks them
and gives the scores of scikit-learn's ``score_samples`` with the sign turned round.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest
from sklearn.pipeline import Pipeline

from detectors.outliers.forest import ForestScorer
from detectors.outliers.preparation import Matrix, Normal, Vector
from detectors.outliers.trees import Trees, average_path_length

_TREES = 200


class IsolationForestScorer(ForestScorer):
    """Trees over the features as they are."""

    @classmethod
    def _grown(cls, normal: Normal, rows: Matrix, seed: int) -> Trees:
        forest = IsolationForest(n_estimators=_TREES, random_state=seed)
        return compiled(forest.fit(normal.filled(rows)))

    @classmethod
    def of_pipeline(cls, pipeline: Pipeline, spread: Vector) -> Self:
        """Of an imputer and a forest, as the first version stored them."""
        imputer, forest = (step for _, step in pipeline.steps)
        return cls(Normal(imputer.statistics_, spread), compiled(forest))

    def score(self, rows: Matrix) -> Vector:
        """Between 0 and 1: scikit-learn's ``score_samples`` with the sign turned round."""
        # scikit-learn compares values of float32.
        single = self.normal.filled(rows).astype(np.float32)
        return self.trees.score(single.astype(np.float64))


def compiled(forest: IsolationForest) -> Trees:
    """The trees of a fitted forest."""
    grown = [estimator.tree_ for estimator in forest.estimators_]
    trees = Trees.blank(1, len(grown), int(forest.max_samples_))
    for number, tree in enumerate(grown):
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
