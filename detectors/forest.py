"""IsolationForest over stored features, with p-values instead of a magic contamination share.

Liu, Ting & Zhou, "Isolation Forest", ICDM 2008. Each training row is scored by a forest that did
not see it (cross-validation), which makes the sorted training scores a calibration set for
conformal p-values (Bates et al., "Testing for outliers with conformal p-values", AoS 2023).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import skops.io
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from detectors.errors import MaskwatchError

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

KIND = "isolation_forest"
MIN_ROWS = 30
_TREES = 200
_FOLDS = 5
# The tree is sklearn's own; the dtype is kept by the imputer and says float64.
_TRUSTED = ("numpy.dtype", "sklearn.tree._tree.Tree")
# What skops raises on bytes, types or contents that it does not expect.
_FOREIGN = (BadZipFile, UntrustedTypesFoundException, LookupError, TypeError, ValueError)


class OutlierModelError(MaskwatchError):
    """A model that cannot be trained or read."""


@dataclass(frozen=True, eq=False)
class ForestModel:
    """A fitted forest with its calibration scores.

    Attributes:
        names: feature names, one per matrix column.
        calibration: out-of-fold scores of the training rows, sorted ascending.
        centre: median of each training column; the value that stands for a missing one.
        spread: interquartile range of each training column.
    """

    names: tuple[str, ...]
    forest: Pipeline
    calibration: Vector
    centre: Vector
    spread: Vector

    @classmethod
    def fit(cls, rows: Matrix, names: Sequence[str], seed: int) -> "ForestModel":
        """Fit on ``(n, features)`` rows; NaN means not measured.

        Raises:
            OutlierModelError: fewer than 30 rows.
        """
        if len(rows) < MIN_ROWS:
            raise OutlierModelError(
                f"An outlier model needs at least {MIN_ROWS} clean records; there are {len(rows)}."
            )
        scores = np.empty(len(rows))
        for train, held_out in KFold(_FOLDS, shuffle=True, random_state=seed).split(rows):
            scores[held_out] = _raw_scores(_new_forest(seed).fit(rows[train]), rows[held_out])
        centre, spread = _centre_and_spread(rows)
        forest = _new_forest(seed).fit(rows)
        return cls(tuple(names), forest, np.sort(scores), centre, spread)

    def score(self, rows: Matrix) -> Vector:
        """Scores ``(n,)`` of ``(n, features)`` rows; high = anomalous."""
        return _raw_scores(self.forest, rows)

    def p_values(self, scores: Vector) -> Vector:
        """Share of calibration scores at least as high, with the usual plus-one correction."""
        n = len(self.calibration)
        higher = n - np.searchsorted(self.calibration, scores, side="left")
        return np.asarray((1 + higher) / (1 + n), dtype=np.float64)

    def contributions(self, row: Vector, most: int = 5) -> dict[str, float]:
        """The features farthest from normal, in interquartile ranges from the median."""
        distance = np.nan_to_num((row - self.centre) / self.spread)
        order = np.argsort(-np.abs(distance), kind="stable")[:most]
        return {self.names[i]: round(float(distance[i]), 2) for i in order if distance[i]}

    def dumps(self) -> bytes:
        """The model as a skops archive: no pickle."""
        state = {
            "names": list(self.names),
            "forest": self.forest,
            "calibration": self.calibration,
            "centre": self.centre,
            "spread": self.spread,
        }
        return bytes(skops.io.dumps(state))

    @classmethod
    def loads(cls, data: bytes, digest: str) -> "ForestModel":
        """Read an archive whose SHA-256 must be ``digest``.

        Raises:
            OutlierModelError: the archive was changed or is not one of ours.
        """
        if sha256(data).hexdigest() != digest:
            raise OutlierModelError(f"Outlier model {digest[:12]} was changed on disk.")
        try:
            state = skops.io.loads(data, trusted=list(_TRUSTED))
            return cls(
                tuple(state["names"]),
                state["forest"],
                state["calibration"],
                state["centre"],
                state["spread"],
            )
        except _FOREIGN:
            raise OutlierModelError(
                f"Outlier model {digest[:12]} is not one that this version can read: "
                "run `maskwatch retrain`."
            ) from None


def _new_forest(seed: int) -> Pipeline:
    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        IsolationForest(n_estimators=_TREES, random_state=seed),
    )


def _raw_scores(forest: Pipeline, rows: Matrix) -> Vector:
    return np.asarray(-forest.score_samples(rows), dtype=np.float64)


def _centre_and_spread(rows: Matrix) -> tuple[Vector, Vector]:
    measured = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
    low, centre, high = np.nanpercentile(measured, [25, 50, 75], axis=0)
    # A column that is constant on clean traffic still needs a scale to say how far off a row is.
    floor = np.maximum(1e-3, 0.01 * np.abs(centre))
    return centre, np.maximum(high - low, floor)
