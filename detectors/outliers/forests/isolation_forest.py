"""Isolation forest: rows that few random cuts separate from the others are unusual.

Liu, Ting & Zhou, "Isolation Forest", ICDM 2008. scikit-learn grows the trees; ``Trees`` walks them
and gives the scores of scikit-learn's ``score_samples`` with the sign turned round.
"""

from detectors.outliers.forests.forest import ForestScorer
from detectors.outliers.forests.trees import Trees
from detectors.outliers.preparation import Matrix, Normal, Vector

_TREES = 200


class IsolationForestScorer(ForestScorer):
    """Trees over the features as they are."""

    TERMS = 1

    @classmethod
    def _grow_trees(cls, normal: Normal, rows: Matrix, seed: int) -> Trees:
        # A process that only scores does without scikit-learn.
        from detectors.outliers.forests.scikit_forest import grow  # noqa: PLC0415

        return grow(normal.fill(rows), _TREES, seed)

    def score(self, rows: Matrix) -> Vector:
        """Between 0 and 1: scikit-learn's ``score_samples`` with the sign turned round."""
        return self.trees.score(self.normal.fill(rows))
