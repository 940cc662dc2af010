"""How many attack pictures a scan finds by how many vetted requests its model has.

Evenings are drawn from the records: so many honest requests to learn from, others to scan with one
attack picture in twenty among them, selected as the job does. What is learnt from and what is
scanned are drawn from the same requests, so that only the number differs.
"""

from dataclasses import dataclass

import numpy as np

from bench.evening.scan.scanned import Requests
from bench.report import Figures
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import select_outliers
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.weights import weigh_requests
from detectors.registry import FITTED_NAMES

_VETTED = (100, 200, 400, 600, 800, 1_000)
_HONEST, _ATTACKS = 190, 10
_EVENINGS = 20
_RATE, _MAX_P_VALUE = 0.1, 0.01


@dataclass(frozen=True)
class _Found:
    """What a scan of a drawn evening found."""

    honest: int
    attacks: int


def scan_by_vetted(requests: Requests, evenings: int = _EVENINGS) -> Figures:
    """Means and standard errors for each number of vetted requests that there are enough for."""
    honest = int((requests.attacks == "").sum())
    figures: dict[str, dict[str, float]] = {}
    for vetted in _VETTED:
        if vetted + _HONEST <= honest:
            scans = [_scan_once(requests, vetted, seed) for seed in range(evenings)]
            for name, value in _average(scans).items():
                figures.setdefault(f"scan_by_vetted_{name}", {})[f"{vetted}"] = value
    return figures


def _average(scans: list[_Found]) -> dict[str, float]:
    found = np.array([scan.attacks / _ATTACKS for scan in scans])
    wrong = np.array([scan.honest / max(1, scan.honest + scan.attacks) for scan in scans])
    root = np.sqrt(len(scans))
    return {
        "tpr": float(found.mean()),
        "tpr_error": float(found.std(ddof=1) / root),
        "fdr": float(wrong.mean()),
        "fdr_error": float(wrong.std(ddof=1) / root),
    }


def _scan_once(requests: Requests, vetted: int, seed: int) -> _Found:
    random = np.random.default_rng(seed)
    honest = random.permutation(np.flatnonzero(requests.attacks == ""))
    attacks = random.permutation(np.flatnonzero(requests.attacks != ""))[:_ATTACKS]
    learnt, scanned = honest[:vetted], np.append(honest[-_HONEST:], attacks)
    model = OutlierModel.fit(OutlierKind.EXCESS, requests.rows[learnt], FITTED_NAMES, seed)
    p_values = model.p_values(model.score(requests.rows[scanned]))
    outliers = select_outliers(
        p_values,
        np.full(len(scanned), 1 / (vetted + 1)),
        _RATE,
        outlier_cutoff(_MAX_P_VALUE, vetted),
        vetted,
        weigh_requests(requests.clients[scanned]),
    ).outliers
    return _Found(int(outliers[:_HONEST].sum()), int(outliers[_HONEST:].sum()))
