"""Detectors of one idea each, and PyOD's outlier models, on the same measurements."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.detection.attacks.minimal import LibraryMissing
from bench.detection.statistics import Scores, fill_unmeasured

Measurements = Mapping[str, float]
Score = Callable[[Measurements], float]

# One number each, high = anomalous.
_SINGLE: dict[str, Score] = {
    "grey_entropy": lambda f: -f.get("grey_entropy", nan),
    "pixel_entropy": lambda f: f.get("entropy_foreground", nan),
    "feature_squeezing": lambda f: max(
        (f.get(f"js_{name}", 0.0) for name in ("jpeg", "median", "bit_depth")), default=nan
    ),
    "patch_consistency": lambda f: -f.get("patch_consistency", nan),
    "mutual_information": lambda f: f.get("mutual_information", nan),
    "jpeg_divergence": lambda f: f.get("glance_divergence", nan),
}
_PYOD = {"pyod_iforest": ("iforest", "IForest"), "pyod_knn": ("knn", "KNN")}
_PYOD |= {"pyod_ecod": ("ecod", "ECOD")}
_NOT_MEASURED_ON_PICTURES = ("_ms", "_passes", "_mb", "upload_bytes", "tamper_score")


@dataclass(frozen=True, eq=False)
class Peer:
    """A detector that others would use alone."""

    name: str
    score: Callable[[Sequence[Measurements]], Scores]


def peers(fit: Sequence[Measurements]) -> list[Peer]:
    """All of them, fitted to clean pictures where they learn.

    Raises:
        LibraryMissing: PyOD is not installed.
    """
    single = [Peer(name, _score_each(score)) for name, score in _SINGLE.items()]
    return [*single, *(_pyod(name, *where, fit) for name, where in _PYOD.items())]


def _score_each(score: Score) -> Callable[[Sequence[Measurements]], Scores]:
    return lambda rows: fill_unmeasured(np.array([score(features) for features in rows]))


def _pyod(name: str, module: str, model: str, fit: Sequence[Measurements]) -> Peer:
    try:
        detector = getattr(import_module(f"pyod.models.{module}"), model)()
    except ImportError as error:
        raise LibraryMissing(
            f"The peer {name} needs PyOD, and {error.name} is missing: install the extra "
            "with `make bench-install`."
        ) from None
    names = sorted(
        {name for row in fit for name in row if not name.endswith(_NOT_MEASURED_ON_PICTURES)}
    )
    scaling = _Scaling.of(_matrix(fit, names))
    detector.fit(scaling.apply(_matrix(fit, names)))
    return Peer(name, lambda rows: _scores(detector, scaling.apply(_matrix(rows, names))))


def _scores(model: Any, rows: npt.NDArray[np.float64]) -> Scores:
    return np.asarray(model.decision_function(rows), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Scaling:
    """Medians for what was not measured, and interquartile ranges as units."""

    centre: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rows: npt.NDArray[np.float64]) -> "_Scaling":
        low, centre, high = np.nanquantile(rows, (0.25, 0.5, 0.75), axis=0)
        return cls(centre, np.maximum(high - low, 1e-6))

    def apply(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        values = np.where(np.isnan(rows), self.centre, rows)
        return np.asarray((values - self.centre) / self.spread, dtype=np.float64)


def _matrix(rows: Sequence[Measurements], names: Sequence[str]) -> npt.NDArray[np.float64]:
    return np.array([[row.get(name, nan) for name in names] for row in rows], dtype=np.float64)
