"""The kinds of outlier models by name."""

from enum import StrEnum

from detectors.outliers.base import Scorer
from detectors.outliers.combined import CombinedScorer
from detectors.outliers.extended_forest import ExtendedForestScorer
from detectors.outliers.isolation_forest import IsolationForestScorer
from detectors.outliers.nearest_neighbours import NearestNeighboursScorer


class OutlierKind(StrEnum):
    """What a model is; the name in settings, archives and the database."""

    ISOLATION_FOREST = "isolation_forest"
    NEAREST_NEIGHBOURS = "nearest_neighbours"
    EXTENDED_FOREST = "extended_forest"
    COMBINED = "combined"


SCORERS: dict[OutlierKind, type[Scorer]] = {
    OutlierKind.ISOLATION_FOREST: IsolationForestScorer,
    OutlierKind.NEAREST_NEIGHBOURS: NearestNeighboursScorer,
    OutlierKind.EXTENDED_FOREST: ExtendedForestScorer,
    OutlierKind.COMBINED: CombinedScorer,
}
