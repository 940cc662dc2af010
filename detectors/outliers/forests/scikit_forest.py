"""Grows the trees of an isolation forest with scikit-learn.

Apart from the scorer because scikit-learn takes seconds and 150 MB to import, and only a training
needs it.
"""

from collections.abc import Iterator, Sequence
from math import ceil, log2
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import config_context
from sklearn.tree import ExtraTreeRegressor
from sklearn.utils.random import sample_without_replacement

from detectors.outliers.forests.trees import Trees, average_path_length
from detectors.outliers.preparation import Matrix

Places = npt.NDArray[np.intp]

_MAX_SAMPLE = 256
_MAX_SEED = np.iinfo(np.int32).max


def grow(rows: Matrix, trees: int, seed: int) -> Trees:
    """Trees on finite ``(n, features)`` rows.

    They are those of scikit-learn's ``IsolationForest(trees, random_state=seed)``, which spends
    three quarters of its time on copies of estimators and of generators.
    """
    sample = min(_MAX_SAMPLE, len(rows))
    with config_context(skip_parameter_validation=True, assume_finite=True):
        return compile_trees(list(_grow_each(rows, trees, seed, sample)), sample)


def _grow_each(rows: Matrix, trees: int, seed: int, sample: int) -> Iterator[Any]:
    count, columns = rows.shape
    values = rows.astype(np.float32)
    targets = np.asarray(np.random.RandomState(seed).uniform(size=count))
    depth = ceil(log2(max(sample, 2)))
    tree = ExtraTreeRegressor(max_features=1, splitter="random", max_depth=depth)
    draws, tree.random_state = np.random.RandomState(), np.random.RandomState()
    for tree_seed in np.random.RandomState(seed).randint(_MAX_SEED, size=trees):
        draws.seed(tree_seed)
        tree.random_state.seed(draws.randint(_MAX_SEED))
        draws.seed(tree_seed)
        # The forest draws an order of columns first, which it does not use.
        sample_without_replacement(columns, columns, random_state=draws)
        # The forest gives all rows and weighs those that were not drawn with nothing, for the same
        # tree; most of the time goes into checking the weights.
        drawn = np.sort(sample_without_replacement(count, sample, random_state=draws))
        yield tree.fit(values[drawn], targets[drawn], check_input=False).tree_


def compile_trees(sources: Sequence[Any], sample: int) -> Trees:
    """What fitted trees hold, of ``sample`` rows each.

    All are copied together, level by level; ``place`` is a node's number in its complete tree.
    """
    trees = Trees.blank(1, len(sources), sample)
    leaves = trees.lengths.shape[1]
    features, offsets, samples = (
        np.concatenate([getattr(each, name) for each in sources])
        for name in ("feature", "threshold", "n_node_samples")
    )
    left, right, node = _number_nodes(sources)
    tree, place, level = np.arange(len(sources)), np.zeros_like(node), 0
    while len(node):
        ends = left[node] < 0
        length = level + average_path_length(samples[node[ends]])
        trees.lengths[tree[ends], _leftmost_leaf(place[ends], level, leaves)] = length
        node, tree, place = node[~ends], tree[~ends], place[~ends]
        trees.features[0, tree, place] = features[node]
        trees.offsets[tree, place] = offsets[node]
        node, tree = np.concatenate([left[node], right[node]]), np.concatenate([tree, tree])
        place = np.concatenate([2 * place + 1, 2 * place + 2])
        level += 1
    return trees


def _number_nodes(sources: Sequence[Any]) -> tuple[Places, Places, Places]:
    """Both children of the nodes of all trees, counted through, and the number of each root."""
    counts = [each.node_count for each in sources]
    roots = np.cumsum([0, *counts[:-1]])
    first = np.repeat(roots, counts)
    left, right = (
        np.concatenate([getattr(each, name) for each in sources])
        for name in ("children_left", "children_right")
    )
    return np.where(left < 0, left, left + first), np.where(left < 0, right, right + first), roots


def _leftmost_leaf(place: Places, level: int, leaves: int) -> Places:
    """The leaf under each node of a level that is reached by going left."""
    width = 2**level
    return np.asarray((place - (width - 1)) * (leaves // width))
