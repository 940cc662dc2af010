"""The scorer of each kind of outlier model."""

from detectors.outliers.base import Scorer
from detectors.outliers.combined import CombinedScorer
from detectors.outliers.forests.extended_forest import ExtendedForestScorer
from detectors.outliers.forests.isolation_forest import IsolationForestScorer
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.nearest_neighbours import NearestNeighboursScorer

SCORERS: dict[OutlierKind, type[Scorer]] = {
    OutlierKind.ISOLATION_FOREST: IsolationForestScorer,
    OutlierKind.NEAREST_NEIGHBOURS: NearestNeighboursScorer,
    OutlierKind.EXTENDED_FOREST: ExtendedForestScorer,
    OutlierKind.COMBINED: CombinedScorer,
}
