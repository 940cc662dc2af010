"""The realised false-discovery rate of simulated scans against the stated one."""

import numpy as np

from bench.outliers.worlds import NAMES, World
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import select_outliers
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix

STATED = 0.10
SCANS = 200
# Each scan has a calibration window of its own. Neighbours are fitted in a moment, and find these
# attacks; an isolation forest hardly finds any, so that its rate would say little.
_KIND = OutlierKind.NEAREST_NEIGHBOURS
_VETTED, _RECORDS = 2_000, 1_000
# Attackers among the records of a scan, and in the calibration window if it is contaminated.
_ATTACKS, _CONTAMINATION = 0.05, 0.01
_MAX_P_VALUE = 0.01


def measure_discoveries(scans: int = SCANS) -> list[dict[str, float | bool]]:
    """For a clean and a contaminated calibration window: the realised rate with its interval."""
    return [_measure(contaminated, scans) for contaminated in (False, True)]


def _measure(contaminated: bool, scans: int) -> dict[str, float | bool]:
    pairs = np.array([_scan_once(contaminated, seed) for seed in range(scans)])
    realised, power = pairs.mean(axis=0)
    error = 1.96 * pairs[:, 0].std(ddof=1) / np.sqrt(len(pairs))
    return {
        "contaminated": contaminated,
        "stated": STATED,
        "realised": float(realised),
        "low": float(max(0.0, realised - error)),
        "high": float(realised + error),
        "power": float(power),
        "scans": len(pairs),
    }


def _scan_once(contaminated: bool, seed: int) -> tuple[float, float]:
    """The share of false discoveries of a scan, and of the attacks that it found."""
    random = np.random.default_rng(seed)
    world = World.make(random)
    hidden = round(_CONTAMINATION * _VETTED) if contaminated else 0
    train = random.permutation(world.draw(_VETTED - hidden, hidden))
    model = OutlierModel.fit(_KIND, train, NAMES, seed)
    attacks = round(_ATTACKS * _RECORDS)
    chosen = _select(model, world.draw(_RECORDS - attacks, attacks))
    false, true = int(chosen[:-attacks].sum()), int(chosen[-attacks:].sum())
    return false / max(1, false + true), true / attacks


def _select(model: OutlierModel, rows: Matrix) -> np.ndarray:
    """Which rows the scan calls outliers, as the job selects them."""
    judged = model.calibrate(model.score(rows), [None] * len(rows))
    bound = outlier_cutoff(_MAX_P_VALUE, len(model.calibration))
    lowest = 1 / (judged.rows + 1)
    return select_outliers(judged.p_values, lowest, STATED, bound, len(model.calibration)).outliers
