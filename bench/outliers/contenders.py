"""Our models and PyOD's, as functions from a split to scores."""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from sklearn.preprocessing import StandardScaler

from bench.outliers.tables import Split
from detectors.errors import MaskwatchError
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix, Vector

Contender = Callable[[Split, int], Vector]


class _Detector(Protocol):
    """What the bench needs of PyOD's detectors."""

    def fit(self, rows: Matrix) -> object: ...

    def decision_function(self, rows: Matrix) -> Vector: ...


class NoPeers(MaskwatchError):
    """The library to compare with is not installed."""


def fit_model(kind: OutlierKind, split: Split, seed: int) -> OutlierModel:
    """One of our models."""
    names = tuple(f"column_{number}" for number in range(split.train.shape[1]))
    return OutlierModel.fit(kind, split.train, names, seed)


def peers() -> Mapping[str, Contender]:
    """PyOD's detectors with their defaults, on standardised columns.

    Raises:
        NoPeers: PyOD is missing.
    """
    try:
        from pyod.models.copod import COPOD  # noqa: PLC0415 - an extra, not needed for the rest
        from pyod.models.ecod import ECOD  # noqa: PLC0415
        from pyod.models.iforest import IForest  # noqa: PLC0415
        from pyod.models.inne import INNE  # noqa: PLC0415
        from pyod.models.knn import KNN  # noqa: PLC0415
        from pyod.models.lof import LOF  # noqa: PLC0415
    except ImportError as error:
        raise NoPeers(
            f"PyOD cannot be used ({error}): install the extra with `make bench-install`."
        ) from None
    return {
        "pyod_iforest": _peer(lambda seed: IForest(random_state=seed)),
        "pyod_inne": _peer(lambda seed: INNE(random_state=seed)),
        "pyod_knn": _peer(lambda _: KNN()),
        "pyod_lof": _peer(lambda _: LOF()),
        "pyod_ecod": _peer(lambda _: ECOD()),
        "pyod_copod": _peer(lambda _: COPOD()),
    }


def _peer(new: Callable[[int], _Detector]) -> Contender:
    def scores(split: Split, seed: int) -> Vector:
        scaler = StandardScaler().fit(split.train)
        detector = new(seed)
        detector.fit(scaler.transform(split.train))
        values = detector.decision_function(scaler.transform(split.test))
        return np.asarray(values, dtype=np.float64)

    return scores
