"""Where a challenger meets the model before it: on a frozen clean set and a frozen attack set.

Each bound is stated. A challenger loses if it calls more of the clean set outliers, finds less of
the attack set, tells the two apart less well, or judges clean requests too differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detectors.outliers.comparison import NamedRows, movement, p_values_of
from detectors.outliers.cutoff import outlier_cutoff
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Vector


@dataclass(frozen=True, eq=False)
class Performance:
    """How a model does on the frozen sets.

    Attributes:
        false_alarms: share of the clean set that it calls outliers.
        detection: share of the attack set that it calls outliers.
        ranking: how often an attack ranks above a clean request (area under the ROC curve).
        p_values: of the clean set, ``(n,)``.
    """

    false_alarms: float
    detection: float
    ranking: float
    p_values: Vector

    @property
    def sentence(self) -> str:
        """The same in words."""
        return (
            f"It finds {_percent(self.detection)} of the frozen attack set and calls "
            f"{_percent(self.false_alarms)} of the frozen clean set outliers."
        )

    def metrics(self) -> dict[str, float]:
        """What is stored beside a model."""
        return {
            "frozen_false_alarms": round(self.false_alarms, 4),
            "frozen_detection": round(self.detection, 4),
            "frozen_ranking": round(self.ranking, 4),
        }


@dataclass(frozen=True)
class Bound:
    """What may be lost within so many nights, as differences of shares.

    Attributes:
        movement: mean distance of the p-values of clean requests.
    """

    nights: int
    false_alarms: float
    detection: float
    ranking: float
    movement: float

    @property
    def words(self) -> str:
        """Within which time."""
        return "in one night" if self.nights == 1 else f"in {self.nights} nights"


# Chance alone moves p-values by up to 0.15: two models of other rows of the same traffic. It moves
# detection by 2.7 points from night to night (standard deviation, docs/outlier-figures.md): a bound
# of one night below that of fourteen would keep out what follows a champion that chance made good.
ONE_NIGHT = Bound(1, false_alarms=0.02, detection=0.05, ranking=0.03, movement=0.20)
FOURTEEN_NIGHTS = Bound(14, false_alarms=0.03, detection=0.05, ranking=0.05, movement=0.25)

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Trial:
    """The frozen sets, and from which p-value on a request is an outlier."""

    clean: NamedRows
    attack: NamedRows
    p_value: float

    def measure(self, model: OutlierModel) -> Performance:
        """How a model does."""
        cutoff = outlier_cutoff(self.p_value, len(model.calibration))
        clean, attack = p_values_of(model, self.clean), p_values_of(model, self.attack)
        return Performance(
            float(np.mean(clean <= cutoff)),
            float(np.mean(attack <= cutoff)),
            _rank_area(clean, attack),
            clean,
        )


def list_losses(
    before: Performance, after: Performance, bound: Bound, *, moves: bool = True
) -> Iterator[str]:
    """In what a challenger loses, one sentence each.

    Args:
        moves: whether movement counts; two kinds may well rank normal requests in two ways.
    """
    if _exceeds(after.false_alarms - before.false_alarms, bound.false_alarms):
        yield (
            f"It calls {_percent(after.false_alarms)} of the frozen clean set outliers instead of "
            f"{_percent(before.false_alarms)}; at most {_points(bound.false_alarms)} more are "
            f"allowed {bound.words}."
        )
    if _exceeds(before.detection - after.detection, bound.detection):
        yield (
            f"It finds {_percent(after.detection)} of the frozen attack set instead of "
            f"{_percent(before.detection)}; at most {_points(bound.detection)} may be lost "
            f"{bound.words}."
        )
    if _exceeds(before.ranking - after.ranking, bound.ranking):
        yield (
            f"It ranks an attack above a clean request in {after.ranking:.3f} of all pairs instead "
            f"of {before.ranking:.3f}; at most {bound.ranking:.2f} may be lost {bound.words}."
        )
    distance = movement(before.p_values, after.p_values)
    if moves and distance > bound.movement:
        yield (
            f"Its p-values of the frozen clean set lie {distance:.3f} from the former ones; at "
            f"most {bound.movement:.2f} is allowed {bound.words}."
        )


def _exceeds(loss: float, bound: float) -> bool:
    """Whether more is lost than allowed; one of 20 is 5 points, however floats round."""
    return loss - bound > _ROUNDING


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:g} points"


def _rank_area(clean: Vector, attack: Vector) -> float:
    """How often a p-value of an attack is below one of a clean request; ties count half."""
    # A trial is rare; what only scores does not load this.
    from scipy.stats import rankdata  # noqa: PLC0415

    ranks = rankdata(np.concatenate([-attack, -clean]))
    least = len(attack) * (len(attack) + 1) / 2
    return float((ranks[: len(attack)].sum() - least) / (len(attack) * len(clean)))
