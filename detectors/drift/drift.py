"""Tells a world that changed from somebody who pushes.

The requests of one network are not independent, so the test that many senders moved compares one
mean a network (Kolmogorov–Smirnov), over all features at a false-discovery rate (Benjamini &
Hochberg, JRSS B 1995). Traffic that moved although its senders, taken one by one, did not, moved by
the weight of a few: it is a push if nothing is left of it without the few networks, or the few
families of pictures, that weigh most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.drift.windows import (
    Bins,
    Shares,
    Values,
    Window,
    assign_bins,
    average_by_group,
    chance_index,
    count_shares,
    cut_bins,
    stability_index,
)

MIN_ROWS = 200
MIN_NETWORKS = 20
MAX_DISCOVERIES = 0.001
MIN_INDEX = 0.2
_FEW_SHARE, _FEW = 0.1, 3


class DriftKind(StrEnum):
    """Why traffic is not what it was."""

    NONE = "none"
    WORLD = "world"
    PUSH = "push"


@dataclass(frozen=True)
class Shift:
    """How one feature moved.

    Attributes:
        index: population stability index over requests.
        q_value: smallest false-discovery rate at which the senders, one by one, have moved.
        is_higher: whether its mean over senders rose.
        same_way: share of the senders beyond the reference's median on that side.
        pushers: the networks or families without which nothing moved; empty for no push.
    """

    name: str
    index: float
    q_value: float
    is_higher: bool
    same_way: float
    pushers: tuple[str, ...]

    @property
    def has_moved(self) -> bool:
        """Whether many senders moved, and far enough to matter."""
        return self.q_value <= MAX_DISCOVERIES and self.index >= MIN_INDEX


@dataclass(frozen=True)
class Drift:
    """What became of a source's traffic.

    Attributes:
        shifts: the features that moved, the furthest first.
    """

    kind: DriftKind
    shifts: tuple[Shift, ...] = ()


def is_comparable(window: Window) -> bool:
    """Whether a window holds enough to say anything."""
    return len(window.rows) >= MIN_ROWS and len(set(window.networks)) >= MIN_NETWORKS


def find_drift(reference: Window, now: Window, names: Sequence[str]) -> Drift:
    """Compare a window with the one that was learnt from.

    Args:
        names: of the columns of both windows.

    Raises:
        ValueError: one of them is not comparable, see :func:`is_comparable`.
    """
    if not (is_comparable(reference) and is_comparable(now)):
        raise ValueError("A window has too few requests or networks.")
    features = [_Feature.of(reference, now, column) for column in range(len(names))]
    q_values = _q_values([feature.p_value for feature in features])
    shifts = [
        feature.describe(name, float(q))
        for name, feature, q in zip(names, features, q_values, strict=True)
    ]
    moved = [shift for shift in shifts if shift.has_moved or shift.pushers]
    if not moved:
        return Drift(DriftKind.NONE)
    # Whoever pushes hard moves single senders too, if enough of them are his.
    kind = DriftKind.PUSH if any(shift.pushers for shift in moved) else DriftKind.WORLD
    return Drift(kind, tuple(sorted(moved, key=lambda shift: -shift.index)))


def _q_values(p_values: Sequence[float]) -> Values:
    # Only a job that runs once a day needs it; loading it takes long.
    from scipy.stats import false_discovery_control  # noqa: PLC0415

    return np.asarray(false_discovery_control(p_values), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Feature:
    """One feature in both windows, in bins of the reference."""

    reference: Shares
    bins: Bins
    now: Window
    senders_before: Values
    senders_now: Values
    chance: float

    @classmethod
    def of(cls, reference: Window, now: Window, column: int) -> "_Feature":
        before, values = reference.rows[:, column], now.rows[:, column]
        edges = cut_bins(before)
        return cls(
            count_shares(assign_bins(before, edges), len(edges) + 2),
            assign_bins(values, edges),
            now,
            average_by_group(before, reference.networks),
            average_by_group(values, now.networks),
            chance_index(len(set(reference.networks)), len(set(now.networks))),
        )

    @property
    def index(self) -> float:
        return self._index_of(np.ones(self.bins.size, dtype=np.bool_))

    @property
    def p_value(self) -> float:
        from scipy.stats import ks_2samp  # noqa: PLC0415

        if not (self.senders_before.size and self.senders_now.size):
            return 1.0
        return float(ks_2samp(self.senders_before, self.senders_now, method="asymp").pvalue)

    def describe(self, name: str, q_value: float) -> Shift:
        """What is told of it."""
        before, now = self.senders_before, self.senders_now
        if not (before.size and now.size):
            return Shift(name, self.index, q_value, False, 0.0, ())
        is_higher = bool(now.mean() > before.mean())
        beyond = (now > np.median(before)) if is_higher else (now < np.median(before))
        same_way = float(beyond.mean())
        return Shift(name, self.index, q_value, is_higher, same_way, self._list_pushers())

    def _list_pushers(self) -> tuple[str, ...]:
        """The fewest groups without which the requests have not moved; none if it takes many."""
        if self.index < MIN_INDEX + self.chance:
            return ()
        both = (self._leave_out(self.now.networks), self._leave_out(self.now.families))
        return min(filter(None, both), key=len, default=())

    def _leave_out(self, groups: tuple[str, ...]) -> tuple[str, ...]:
        """As few groups as it takes, the heaviest first; none if a few are not enough."""
        names, places = np.unique(np.asarray(groups), return_inverse=True)
        added = np.bincount(places, self._weigh())
        few = max(_FEW, round(_FEW_SHARE * len(names)))
        heaviest = np.argsort(-added, kind="stable")[:few]
        for count in range(1, len(heaviest) + 1):
            others = ~np.isin(places, heaviest[:count])
            if others.sum() < MIN_ROWS // 2:
                return ()
            if self._index_of(others) < MIN_INDEX / 2 + self.chance:
                return tuple(str(names[place]) for place in heaviest[:count])
        return ()

    def _weigh(self) -> Values:
        """How much each request adds to the bins that grew."""
        shares = count_shares(self.bins, self.reference.size)
        return np.asarray(np.log(shares / self.reference)[self.bins], dtype=np.float64)

    def _index_of(self, chosen: npt.NDArray[np.bool_]) -> float:
        return stability_index(self.reference, count_shares(self.bins[chosen], self.reference.size))
