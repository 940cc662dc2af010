"""An outlier model: a scorer with names, p-values, explanations and an archive.

Conformal p-values (Bates et al., "Testing for outliers with conformal p-values", AoS 2023) stand in
for a made-up share of contamination. Each training row is scored by a scorer that did not see it,
and the sorted scores are what a new score is compared with.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.archive import FOREIGN, Archive, pack, unpack
from detectors.outliers.base import OutlierModelError, Scorer
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.preparation import Matrix, Vector, check_array
from detectors.outliers.scorers import SCORERS

MIN_ROWS = 30
# A feature whose share in a score is smaller than this part of the largest one explains nothing.
_MIN_SHARE = 0.05
_CALIBRATION = "calibration"


@dataclass(frozen=True, eq=False)
class OutlierModel:
    """A fitted model of any kind.

    Attributes:
        names: feature names, one per matrix column.
        calibration: held-out scores of normal rows, sorted ascending.
    """

    kind: OutlierKind
    names: tuple[str, ...]
    scorer: Scorer
    calibration: Vector

    @classmethod
    def fit(cls, kind: OutlierKind, rows: Matrix, names: Sequence[str], seed: int) -> Self:
        """Fit on ``(n, features)`` rows; NaN means not measured.

        Raises:
            OutlierModelError: fewer than 30 rows.
        """
        if len(rows) < MIN_ROWS:
            raise OutlierModelError(
                f"An outlier model needs at least {MIN_ROWS} clean records; there are {len(rows)}."
            )
        result = SCORERS[kind].fit(rows, seed)
        return cls(kind, tuple(names), result.scorer, np.sort(result.held_out_scores))

    def score(self, rows: Matrix) -> Vector:
        """Scores ``(n,)`` of ``(n, features)`` rows; high = anomalous."""
        return self.scorer.score(rows)

    def score_one(self, row: Vector) -> float:
        """The score of one ``(features,)`` row; the same as among others."""
        return float(self.scorer.score(row[np.newaxis])[0])

    def p_values(self, scores: Vector) -> Vector:
        """Share of calibration scores at least as high, with the usual plus-one correction."""
        n = len(self.calibration)
        higher = n - np.searchsorted(self.calibration, scores, side="left")
        return np.asarray((1 + higher) / (1 + n), dtype=np.float64)

    def extend_calibration(self, rows: Matrix) -> Self:
        """The same model, calibrated with more normal rows that it was not fitted on as well."""
        scores = np.concatenate([self.calibration, self.score(rows)])
        return replace(self, calibration=np.sort(scores))

    def contributions(self, row: Vector, most: int = 5) -> dict[str, float]:
        """The features that make a row unusual, with their signed distance from the median.

        A feature contributes what the score falls by when only this feature is put back to its
        median; the largest come first. Distances are in interquartile ranges.
        """
        distance = self.scorer.normal.distances(row[np.newaxis])[0]
        share = self._shares(row, np.flatnonzero(distance))
        order = np.lexsort((-np.abs(distance), -share))[:most]
        least = _MIN_SHARE * share.max(initial=0.0)
        return {
            self.names[i]: round(float(distance[i]), 2)
            for i in order
            if share[i] > 0 and share[i] >= least
        }

    def _shares(self, row: Vector, columns: npt.NDArray[np.intp]) -> Vector:
        """By how much the score falls without what is unusual in each of the columns."""
        variants = np.repeat(row[np.newaxis], len(columns), axis=0)
        variants[np.arange(len(columns)), columns] = self.scorer.normal.centre[columns]
        share = np.zeros(len(row))
        share[columns] = self.score_one(row) - self.score(variants)
        return share

    def dumps(self) -> bytes:
        """The model as a safetensors archive.

        Raises:
            OutlierModelError: it is too large for one.
        """
        arrays = {**self.scorer.arrays(), _CALIBRATION: self.calibration}
        return pack(Archive(self.kind, self.names, arrays))

    @classmethod
    def loads(cls, data: bytes, digest: str) -> Self:
        """Read an archive of any kind whose SHA-256 must be ``digest``.

        Raises:
            OutlierModelError: the archive was changed or is not one of ours.
        """
        try:
            return cls._restore(unpack(data, digest))
        except FOREIGN:
            raise OutlierModelError(
                f"Outlier model {digest[:12]} is not one that this version can read: "
                "run `maskwatch jobs run retrain`."
            ) from None

    @classmethod
    def _restore(cls, archive: Archive) -> Self:
        scorer = SCORERS[archive.kind].restore(archive.arrays)
        if len(archive.names) != len(scorer.normal.centre):
            raise ValueError("as many names as features")
        if archive.arrays.keys() != {*scorer.arrays(), _CALIBRATION}:
            raise ValueError("arrays that nobody reads")
        calibration = check_array(archive.arrays[_CALIBRATION], np.float64, (-1,))
        if len(calibration) < MIN_ROWS:
            raise ValueError("too few scores to compare with")
        return cls(archive.kind, archive.names, scorer, np.sort(calibration))
