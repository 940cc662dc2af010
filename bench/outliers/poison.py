"""Poison in the training: how far detection of a planted attack falls, with the gate and without.

An attacker sends a share of each day's requests for fourteen nights, all at the planted attack at
once, or a fourteenth of the way farther each day. The champion scans each day, a challenger learns
from what is left, and the gate decides, by the functions of the jobs.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.outliers.kept_figures import KeptFigures, Numbers
from bench.outliers.worlds import NAMES, World
from detectors.outliers.challengers.frozen import FrozenSet
from detectors.outliers.challengers.trial import FOURTEEN_NIGHTS
from detectors.outliers.comparison import NamedRows, p_values_of
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.false_discoveries import select_outliers
from detectors.outliers.kinds import FrozenKind, OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix
from jobs.outliers.gate import Opponents, Predecessor
from jobs.outliers.retrain import meet
from jobs.outliers.sampling import Sample, make_sample, train
from jobs.settings import TrainingGroup
from store.requests.record_store import FeatureMatrix
from store.requests.row_bounds import NOTHING

# Fitted in a moment, and finds these attacks; see the part `fdr`.
_KIND = OutlierKind.NEAREST_NEIGHBOURS
_NIGHTS, _DAY, _HONEST_CLIENTS = 14, 200, 100
_P_VALUE, _RATE = 0.01, 0.1
_FROZEN_CLEAN, _FROZEN_ATTACKS, _TESTED = 500, 200, 1_000
# How far the planted attack lies: it is found at first, but not without fail.
_WAY = 0.65
_SHARES, _SENDERS = (0.01, 0.05, 0.10), (1, 50)
# Without an attacker: so many nights of it say how often honest challengers are held back.
_HONEST_WORLDS = 8


@dataclass(frozen=True)
class Attack:
    """What is sent beside the honest traffic of each day.

    Attributes:
        share: of the day's requests.
        drifts: whether it moves to the planted attack, a fourteenth of the way each day.
    """

    share: float
    clients: int
    drifts: bool

    def describe(self) -> dict[str, object]:
        """What the figures call it."""
        return {
            "share_of_a_day": self.share,
            "clients": self.clients,
            "how": "drifting" if self.drifts else "sudden",
        }

    @property
    def name(self) -> str:
        """What its kept figures are called."""
        return f"{'drifting' if self.drifts else 'sudden'}_{self.share:.2f}_{self.clients}"

    def draw(self, world: World, night: int) -> Matrix:
        """The requests of a day, ``(n, features)``; nights count from 1."""
        count = round(_DAY * self.share)
        way = _WAY * (night / _NIGHTS if self.drifts else 1.0)
        return world.draw(0, count, way)


@dataclass(frozen=True)
class Guard:
    """Which parts of the retraining are on."""

    name: str
    gate: bool
    sample: bool


_GUARDS = (
    Guard("gate", gate=True, sample=True),
    Guard("no_gate", gate=False, sample=True),
    Guard("nothing", gate=False, sample=False),
)


@dataclass(frozen=True, eq=False)
class _Day:
    """One day's requests, newest first, and which of them a scan selected."""

    rows: Matrix
    clients: tuple[str, ...]
    outliers: npt.NDArray[np.bool_]


class _Request(NamedTuple):
    """What the bounds of a sample look at."""

    id: int
    client: str
    family: int | None = None
    picture: str | None = None


def measure_poison(kept: KeptFigures, worlds: int) -> dict[str, object]:
    """For each attack, in so many worlds: detection before, and by how many points it falls."""
    attacks = [
        Attack(share, clients, drifts)
        for drifts in (False, True)
        for share in _SHARES
        for clients in _SENDERS
    ]
    return {
        "poison_without": [_measure(None, kept, max(worlds, _HONEST_WORLDS))],
        "poison": [_measure(attack, kept, worlds) for attack in attacks],
    }


def _measure(attack: Attack | None, kept: KeptFigures, worlds: int) -> dict[str, object]:
    runs = [_run_guards(attack, seed, kept) for seed in range(worlds)]
    falls = 100 * np.array([[run["before"] - run["after"] for run in each] for each in runs])
    return {
        **({} if attack is None else attack.describe()),
        "detection_before": float(np.mean([each[0]["before"] for each in runs])),
        "fall_with_gate": float(falls[:, 0].mean()),
        "worst_fall_with_gate": float(falls[:, 0].max()),
        "fall_without_gate": float(falls[:, 1].mean()),
        "fall_without_gate_and_sampling": float(falls[:, 2].mean()),
        "promoted_with_gate": float(np.mean([each[0]["promoted"] for each in runs])),
        "nights": _NIGHTS,
        "worlds": worlds,
    }


def _run_guards(attack: Attack | None, seed: int, kept: KeptFigures) -> list[Numbers]:
    name = "nobody" if attack is None else attack.name
    return [
        kept.measure(f"poison/{name}/{guard.name}/{seed}", partial(run_nights, attack, guard, seed))
        for guard in _GUARDS
    ]


def run_nights(attack: Attack | None, guard: Guard, seed: int) -> Numbers:
    """Detection of the planted attack before and after, and the share of nights that promoted."""
    random = np.random.default_rng(seed)
    world = World.make(random)
    tested = NamedRows(NAMES, world.draw(0, _TESTED, _WAY))
    sets = _freeze(world)
    days = [_draw_day(world, None, 0) for _ in range(_NIGHTS)]
    model = train(_sample(days, guard), _KIND)
    first, promoted = model, 0
    for night in range(1, _NIGHTS + 1):
        day = _draw_day(world, attack, night)
        days = [*days, _scan(model, day) if guard.sample else day][-_NIGHTS:]
        sample = _sample(days, guard)
        opponents = Opponents(Predecessor(model), Predecessor(first, bound=FOURTEEN_NIGHTS), sets)
        challenger = train(sample, _KIND)
        if not guard.gate or _passes(opponents, challenger, sample):
            model, promoted = challenger, promoted + 1
    return {
        "before": _detect(first, tested),
        "after": _detect(model, tested),
        "promoted": promoted / _NIGHTS,
    }


def _passes(opponents: Opponents, challenger: OutlierModel, sample: Sample) -> bool:
    return meet(opponents, challenger, sample.clean.rows, _P_VALUE).is_promoted


def _freeze(world: World) -> dict[FrozenKind, FrozenSet]:
    rows = {
        FrozenKind.CLEAN: world.draw(_FROZEN_CLEAN, 0),
        FrozenKind.ATTACK: world.draw(0, _FROZEN_ATTACKS, _WAY),
    }
    return {
        kind: FrozenSet(kind, NamedRows(NAMES, each), np.zeros(len(each), np.int64))
        for kind, each in rows.items()
    }


def _draw_day(world: World, attack: Attack | None, night: int) -> _Day:
    poison = np.empty((0, len(NAMES))) if attack is None else attack.draw(world, night)
    honest = _DAY - len(poison)
    senders = world.random.integers(_HONEST_CLIENTS, size=honest)
    clients = [f"ip:198.51.{sender}.7" for sender in senders]
    if attack is not None:
        clients += [f"ip:203.0.{number % attack.clients}.9" for number in range(len(poison))]
    order = world.random.permutation(_DAY)
    rows = np.concatenate([world.draw(honest, 0), poison])[order]
    return _Day(rows, tuple(clients[number] for number in order), np.zeros(_DAY, bool))


def _scan(model: OutlierModel, day: _Day) -> _Day:
    judged = model.calibrate(model.score(day.rows), [None] * len(day.rows))
    bound = outlier_cutoff(_P_VALUE, len(model.calibration))
    selection = select_outliers(
        judged.p_values, 1 / (judged.rows + 1), _RATE, bound, len(model.calibration)
    )
    return replace(day, outliers=selection.outliers)


def _sample(days: list[_Day], guard: Guard) -> Sample:
    """The sample of the job, or everything."""
    newest = days[::-1]
    rows = np.concatenate([day.rows for day in newest])
    clients = tuple(client for day in newest for client in day.clients)
    outliers = np.concatenate([day.outliers for day in newest])
    whole = FeatureMatrix(tuple(range(len(rows))), clients, NAMES, rows, (None,) * len(rows))
    if not guard.sample:
        return Sample(whole, rows[:0])
    return make_sample(_bound(whole, ~outliers), _bound(whole, outliers), _P_VALUE)


def _bound(whole: FeatureMatrix, among: npt.NDArray[np.bool_]) -> FeatureMatrix:
    requests = (_Request(key, whole.clients[key]) for key in np.flatnonzero(among).tolist())
    chosen = TrainingGroup().bounds().choose(requests, NOTHING)
    return whole.choose(np.isin(np.arange(len(among)), [key for key, *_ in chosen]))


def _detect(model: OutlierModel, attacks: NamedRows) -> float:
    cutoff = outlier_cutoff(_P_VALUE, len(model.calibration))
    return float(np.mean(p_values_of(model, attacks) <= cutoff))
