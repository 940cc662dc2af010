"""An outlier model: a scorer with names, p-values, explanations and an archive.

Conformal p-values (Bates et al., "Testing for outliers with conformal p-values", AoS 2023) stand in
for a made-up share of contamination. Each training row is scored by a scorer that did not see it,
and the sorted scores are what a new score is compared with.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from detectors.outliers.archive import FOREIGN, Archive, pack, unpack
from detectors.outliers.base import OutlierModelError, Scorer
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.preparation import Matrix, Vector, check_array
from detectors.outliers.scorers import SCORERS, fit_scorer

MIN_ROWS = 30
MIN_SOURCE_ROWS = 999
"""So many normal rows of a source are a calibration set of its own: what a false-discovery rate of
10 % takes if one request in a hundred is an outlier."""

# A feature whose share in a score is smaller than this part of the largest one explains nothing.
_MIN_SHARE = 0.05
# Of so many features that lie farthest out the scores without them are compared; of so many rows at
# a time.
_LOOKED_AT, _EXPLAINED = 24, 256
_CALIBRATION = "calibration"
_OF_SOURCE = f"{_CALIBRATION}.of."
Sources = Sequence[str | None]


@dataclass(frozen=True, eq=False)
class Calibrated:
    """P-values and what they are shares of.

    Attributes:
        p_values: ``(n,)``.
        rows: how many calibration scores each score was compared with, ``(n,)``.
        of_source: whether these were of the row's own source alone, ``(n,)``.
    """

    p_values: Vector
    rows: npt.NDArray[np.int64]
    of_source: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class OutlierModel:
    """A fitted model of any kind.

    Attributes:
        names: feature names, one per matrix column.
        calibration: held-out scores of normal rows, sorted ascending.
        calibration_of: the same by source, of the sources that have enough.
    """

    kind: OutlierKind
    names: tuple[str, ...]
    scorer: Scorer
    calibration: Vector
    calibration_of: Mapping[str, Vector] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        kind: OutlierKind,
        rows: Matrix,
        names: Sequence[str],
        seed: int,
        sources: Sources = (),
    ) -> Self:
        """Fit on ``(n, features)`` rows; NaN means not measured.

        Args:
            sources: what each row was measured on, if the sources differ.

        Raises:
            OutlierModelError: fewer than 30 rows.
        """
        if len(rows) < MIN_ROWS:
            raise OutlierModelError(
                f"An outlier model needs at least {MIN_ROWS} clean records; there are {len(rows)}."
            )
        result = fit_scorer(kind, rows, names, seed)
        scores = result.held_out_scores
        by_source = _split_by_source(scores, sources)
        return cls(kind, tuple(names), result.scorer, np.sort(scores), by_source)

    def score(self, rows: Matrix) -> Vector:
        """Scores ``(n,)`` of ``(n, features)`` rows; high = anomalous."""
        return self.scorer.score(rows)

    def score_one(self, row: Vector) -> float:
        """The score of one ``(features,)`` row; the same as among others."""
        return float(self.scorer.score(row[np.newaxis])[0])

    def p_values(self, scores: Vector) -> Vector:
        """Share of calibration scores at least as high, with the usual plus-one correction."""
        return _conformal(self.calibration, scores)

    def calibrate(self, scores: Vector, sources: Sources) -> Calibrated:
        """P-values among the normal rows of each row's source where these are enough, else all."""
        p_values = self.p_values(scores)
        rows = np.full(len(scores), len(self.calibration))
        of_source = np.zeros(len(scores), bool)
        names = np.array(sources, dtype=object)
        for source, calibration in self.calibration_of.items():
            mine = names == source
            p_values[mine] = _conformal(calibration, scores[mine])
            rows[mine], of_source[mine] = len(calibration), True
        return Calibrated(p_values, rows, of_source)

    def extend_calibration(self, rows: Matrix, sources: Sources = ()) -> Self:
        """The same model, calibrated with more normal rows that it was not fitted on as well."""
        scores, names = self.score(rows), np.array(sources, dtype=object)
        by_source = {
            source: np.sort(np.concatenate([calibration, scores[names == source]]))
            for source, calibration in self.calibration_of.items()
            if len(names)
        }
        return replace(
            self,
            calibration=np.sort(np.concatenate([self.calibration, scores])),
            calibration_of={**self.calibration_of, **by_source},
        )

    def contributions(self, row: Vector, most: int = 5) -> dict[str, float]:
        """The features that make a row unusual, with their signed distance from the median.

        A feature contributes what the score falls by when only this feature is put back to its
        median; the largest come first. Distances are in interquartile ranges.
        """
        return self.explain(row[np.newaxis], most)[0]

    def explain(self, rows: Matrix, most: int = 5) -> list[dict[str, float]]:
        """The contributions of each of ``(n, features)`` rows; those farthest out are looked at."""
        parts = [rows[first : first + _EXPLAINED] for first in range(0, len(rows), _EXPLAINED)]
        return [each for part in parts for each in self._explain(part, most)]

    def _explain(self, rows: Matrix, most: int) -> Iterator[dict[str, float]]:
        normal = self.scorer.normal
        shares = self._shares(rows, normal.distances(rows))
        for distance, share in zip(normal.whole_distances(rows), shares, strict=True):
            order = np.lexsort((-np.abs(distance), -share))[:most]
            least = max(_MIN_SHARE * share.max(initial=0.0), np.finfo(float).tiny)
            yield {self.names[i]: round(float(distance[i]), 2) for i in order if share[i] >= least}

    def _shares(self, rows: Matrix, distances: Matrix) -> Matrix:
        """By how much scores fall without what is unusual in a column, ``(n, features)``."""
        count, width = rows.shape[0], min(_LOOKED_AT, rows.shape[1])
        columns = np.argsort(-np.abs(distances), axis=1, kind="stable")[:, :width]
        variants = np.repeat(rows, width, axis=0)
        places = (np.arange(count * width), columns.ravel())
        variants[places] = self.scorer.normal.centre[columns.ravel()]
        falls = self.score(rows)[:, np.newaxis] - self.score(variants).reshape(count, width)
        share = np.zeros(rows.shape)
        np.put_along_axis(share, columns, falls, axis=1)
        return np.where(distances == 0, 0.0, share)

    def dumps(self) -> bytes:
        """The model as a safetensors archive.

        Raises:
            OutlierModelError: it is too large for one.
        """
        by_source = {f"{_OF_SOURCE}{name}": each for name, each in self.calibration_of.items()}
        arrays = {**self.scorer.arrays(), _CALIBRATION: self.calibration, **by_source}
        return pack(Archive(self.kind, self.names, arrays))

    @classmethod
    def loads(cls, data: bytes, digest: str) -> Self:
        """Read an archive of any kind whose SHA-256 must be ``digest``.

        Raises:
            ModelChanged: the archive was changed.
            OutlierModelError: it is not one of ours.
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
        by_source = {name for name in archive.arrays if name.startswith(_OF_SOURCE)}
        if archive.arrays.keys() != {*scorer.arrays(), _CALIBRATION, *by_source}:
            raise ValueError("arrays that nobody reads")
        return cls(
            archive.kind,
            archive.names,
            scorer,
            _check_calibration(archive.arrays[_CALIBRATION], MIN_ROWS),
            {
                name.removeprefix(_OF_SOURCE): _check_calibration(
                    archive.arrays[name], MIN_SOURCE_ROWS
                )
                for name in by_source
            },
        )


def _conformal(calibration: Vector, scores: Vector) -> Vector:
    n = len(calibration)
    higher = n - np.searchsorted(calibration, scores, side="left")
    return np.asarray((1 + higher) / (1 + n), dtype=np.float64)


def _split_by_source(scores: Vector, sources: Sources) -> dict[str, Vector]:
    """Sorted scores of each source that has enough of them."""
    names = np.array(sources, dtype=object)
    counts = Counter(source for source in sources if source is not None)
    return {
        source: np.sort(scores[names == source])
        for source, count in sorted(counts.items())
        if count >= MIN_SOURCE_ROWS
    }


def _check_calibration(scores: npt.NDArray[Any], min_rows: int) -> Vector:
    """Sorted scores to compare with, from an archive."""
    calibration = check_array(scores, np.float64, (-1,))
    if len(calibration) < min_rows:
        raise ValueError("too few scores to compare with")
    return np.sort(calibration)
