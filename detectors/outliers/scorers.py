"""The scorer of each kind of outlier model."""

from collections.abc import Sequence

from detectors.outliers.base import FitResult, Scorer
from detectors.outliers.combined import CombinedScorer
from detectors.outliers.excess.scorer import ExcessScorer
from detectors.outliers.forests.extended_forest import ExtendedForestScorer
from detectors.outliers.forests.isolation_forest import IsolationForestScorer
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.nearest_neighbours import NearestNeighboursScorer
from detectors.outliers.preparation import Matrix

SCORERS: dict[OutlierKind, type[Scorer]] = {
    OutlierKind.ISOLATION_FOREST: IsolationForestScorer,
    OutlierKind.NEAREST_NEIGHBOURS: NearestNeighboursScorer,
    OutlierKind.EXTENDED_FOREST: ExtendedForestScorer,
    OutlierKind.COMBINED: CombinedScorer,
    OutlierKind.EXCESS: ExcessScorer,
}


def fit_scorer(
    kind: OutlierKind, rows: Matrix, names: Sequence[str], seed: int
) -> FitResult[Scorer]:
    """Fit a scorer of a kind on ``(n, features)`` rows; one of them knows what attacks raise."""
    if kind is OutlierKind.EXCESS:
        result = ExcessScorer.fit(rows, seed, names)
        return FitResult(result.scorer, result.held_out_scores)
    return SCORERS[kind].fit(rows, seed)
