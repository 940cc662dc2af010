"""The realised false-discovery rate of simulated scans against the stated one."""

from enum import StrEnum
from itertools import product

import numpy as np
import numpy.typing as npt

from bench.outliers.worlds import NAMES, World
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import select_outliers
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix
from detectors.outliers.weights import weigh_requests
from jobs.outliers.sampling import make_sample, train
from store.requests.record_store import FeatureMatrix

STATED = 0.10
SCANS = 200
# Each scan has a calibration window of its own, trimmed as the job does. Neighbours are fitted in a
# moment, and find these attacks; an isolation forest hardly finds any, so that its rate would say
# little.
_KIND = OutlierKind.NEAREST_NEIGHBOURS
_VETTED, _RECORDS = 2_000, 1_000
# Attackers among the records of a scan, and in the calibration window if it is contaminated.
_ATTACKS, _CONTAMINATION = 0.05, 0.01
_MAX_P_VALUE = 0.01


# Honest clients, some of which send most, each with pictures of its own kind.
_CLIENTS, _BUSYNESS, _OWN = 200, 1.5, 1.5


class Senders(StrEnum):
    """Who sends the attacks."""

    NOBODY = "each request is alone"
    EACH = "a client each"
    TWOS = "two from a client"
    FIVES = "five from a client"
    TENS = "ten from a client"
    ONE = "all from one client"


def measure_discoveries(scans: int = SCANS) -> list[dict[str, float | bool | str]]:
    """For a clean and a contaminated calibration window: the realised rate with its interval."""
    return [_measure(*case, scans) for case in product(Senders, (False, True))]


def _measure(senders: Senders, contaminated: bool, scans: int) -> dict[str, float | bool | str]:
    pairs = np.array([_scan_once(senders, contaminated, seed) for seed in range(scans)])
    realised, power = pairs.mean(axis=0)
    error = 1.96 * pairs[:, 0].std(ddof=1) / np.sqrt(len(pairs))
    return {
        "senders": senders.value,
        "contaminated": contaminated,
        "stated": STATED,
        "realised": float(realised),
        "low": float(max(0.0, realised - error)),
        "high": float(realised + error),
        "power": float(power),
        "scans": len(pairs),
    }


def _scan_once(senders: Senders, contaminated: bool, seed: int) -> tuple[float, float]:
    """The share of false discoveries of a scan, and of the attacks that it found."""
    random = np.random.default_rng(seed)
    world = World.make(random)
    crowd = _Crowd(random, world, senders)
    hidden = round(_CONTAMINATION * _VETTED) if contaminated else 0
    model = _train(random.permutation(crowd.draw(_VETTED - hidden, hidden)[0]))
    attacks = round(_ATTACKS * _RECORDS)
    chosen = _select(model, *crowd.draw(_RECORDS - attacks, attacks))
    false, true = int(chosen[:-attacks].sum()), int(chosen[-attacks:].sum())
    return false / max(1, false + true), true / attacks


def _train(rows: Matrix) -> OutlierModel:
    """What the job learns from a window without earlier outliers."""
    count = len(rows)
    window = FeatureMatrix(tuple(range(count)), ("",) * count, NAMES, rows, (None,) * count)
    return train(make_sample(window, window.choose(np.zeros(count, bool)), _MAX_P_VALUE), _KIND)


# Attacks from each client that attacks.
_FROM_EACH = {Senders.EACH: 1, Senders.TWOS: 2, Senders.FIVES: 5, Senders.TENS: 10, Senders.ONE: 50}


class _Crowd:
    """Who sends what."""

    def __init__(self, random: np.random.Generator, world: World, senders: Senders) -> None:
        self._random, self._world, self._senders = random, world, senders
        if senders is not Senders.NOBODY:
            busyness = random.pareto(_BUSYNESS, _CLIENTS) + 0.1
            self._shares = busyness / busyness.sum()
            self._own = _OWN * random.standard_t(5, (_CLIENTS, len(NAMES)))

    def draw(self, honest: int, attacks: int) -> tuple[Matrix, npt.NDArray[np.int64]]:
        """Honest rows, then attacks, and the number of each one's client."""
        rows = self._world.draw(honest, attacks)
        clients = np.arange(honest + attacks)
        if self._senders is Senders.NOBODY:
            return rows, clients
        clients[:honest] = self._random.choice(_CLIENTS, honest, p=self._shares)
        rows[:honest] += self._own[clients[:honest]]
        clients[honest:] = _CLIENTS + np.arange(attacks) // _FROM_EACH[self._senders]
        return rows, clients


def _select(model: OutlierModel, rows: Matrix, clients: npt.NDArray[np.int64]) -> np.ndarray:
    """Which rows the scan calls outliers, as the job selects them."""
    judged = model.calibrate(model.score(rows), [None] * len(rows))
    bound = outlier_cutoff(_MAX_P_VALUE, len(model.calibration))
    return select_outliers(
        judged.p_values,
        1 / (judged.rows + 1),
        STATED,
        bound,
        len(model.calibration),
        weigh_requests(clients),
    ).outliers
