"""The held-out trial: does what labels taught rank labels better that it has not seen?

Groups are held out as wholes. The figure is the AUROC: how often a confirmed request stands before
a dismissed one, each label with its weight. Its interval comes from drawing groups, not labels.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from detectors.outliers.preparation import Matrix, Vector
from detectors.ranking.inputs import SURPRISE
from detectors.ranking.labels import Labels, Numbers
from detectors.ranking.reranker import Reranker

MIN_GAIN = 0.02
"""So much of AUROC a re-ranker gains at least, beside an interval that is all above 0."""
MIN_AUROC = 0.6
"""And so much it has: to be better than p-values that mislead is not enough."""

_FOLDS, _DRAWS, _SEED = 10, 1_000, 20_260_101
_INTERVAL = (2.5, 97.5)

Fit = Callable[[Labels], Reranker]


@dataclass(frozen=True)
class HeldOut:
    """How held-out labels are ranked.

    Attributes:
        auroc: by re-rankers that saw none of their group.
        p_value_auroc: by p-values alone.
        gain_low, gain_high: the 95 % interval of the gain.
    """

    auroc: float
    p_value_auroc: float
    gain_low: float
    gain_high: float

    @property
    def gain(self) -> float:
        """What the labels add."""
        return self.auroc - self.p_value_auroc

    @property
    def is_better(self) -> bool:
        """Whether the labels rank better than p-values, beyond chance."""
        return self.gain >= MIN_GAIN and self.gain_low > 0 and self.auroc >= MIN_AUROC

    @property
    def sentence(self) -> str:
        """The figures, for people."""
        return (
            f"On held-out labels its AUROC is {self.auroc:.2f}, that of p-values alone "
            f"{self.p_value_auroc:.2f}: a gain of {self.gain:z.2f}, 95 % interval "
            f"{self.gain_low:.2f} to {self.gain_high:.2f}."
        )

    def metrics(self) -> dict[str, float]:
        """The figures as they are stored."""
        return {name: round(value, 4) for name, value in asdict(self).items()}

    @classmethod
    def of_metrics(cls, metrics: Mapping[str, object]) -> "HeldOut":
        """The figures as they were stored."""
        return cls(*(float(str(metrics[name])) for name in cls.__dataclass_fields__))


def hold_out(labels: Labels, fit: Fit) -> HeldOut:
    """Rank each group by a re-ranker of the others, and compare that with p-values."""
    ranks, surprises = np.empty(len(labels.rows)), labels.rows[:, SURPRISE]
    folds = _assign_folds(labels)
    for fold in np.unique(folds):
        held = folds == fold
        ranks[held] = fit(labels.choose(~held)).rank(labels.rows[held])
    pairs = [_Pairs.of(labels, values) for values in (ranks, surprises)]
    draws = _draw_groups(len(pairs[0].confirmed))
    # A draw without one of the answers says nothing.
    gains = pairs[0].auroc(draws) - pairs[1].auroc(draws)
    low, high = np.nanpercentile(gains, _INTERVAL).tolist()
    whole = np.ones((1, len(pairs[0].confirmed)))
    by_labels, by_p_value = (float(each.auroc(whole)[0]) for each in pairs)
    return HeldOut(by_labels, by_p_value, low, high)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of a confirmed and a dismissed label, by the groups of the two.

    Attributes:
        won: weight of the pairs that stand in the right order, half of the ties, ``(g, g)``.
        confirmed, dismissed: weight of the labels of each group, ``(g,)``.
    """

    won: Matrix
    confirmed: Vector
    dismissed: Vector

    @classmethod
    def of(cls, labels: Labels, values: Vector) -> "_Pairs":
        attacks, numbers = labels.attacks, np.unique(labels.groups, return_inverse=True)[1]
        mass = np.zeros((numbers.max() + 1, len(numbers)))
        mass[numbers, np.arange(len(numbers))] = labels.weights
        upper, lower = values[attacks, np.newaxis], values[np.newaxis, ~attacks]
        order = (upper > lower) + 0.5 * (upper == lower)
        won = mass[:, attacks] @ order @ mass[:, ~attacks].T
        return cls(won, mass[:, attacks].sum(axis=1), mass[:, ~attacks].sum(axis=1))

    def auroc(self, draws: Matrix) -> Vector:
        """The AUROC if each group is there so many times, ``(draws,)`` of ``(draws, g)``."""
        won = ((draws @ self.won) * draws).sum(axis=1)
        every = (draws @ self.confirmed) * (draws @ self.dismissed)
        out = np.full(len(draws), np.nan)
        return np.asarray(np.divide(won, every, out=out, where=every > 0))


def _draw_groups(groups: int) -> Matrix:
    """How often each of the groups is drawn, in each of the draws."""
    random = np.random.default_rng(_SEED)
    shares = np.full(groups, 1 / groups)
    return random.multinomial(groups, shares, _DRAWS).astype(np.float64)


def _assign_folds(labels: Labels) -> Numbers:
    """Whole groups in turn, those with confirmed labels first: each fold has some of both."""
    numbers = np.unique(labels.groups)
    has_attack = {int(n): bool(labels.attacks[labels.groups == n].any()) for n in numbers}
    order = sorted(has_attack, key=lambda number: (not has_attack[number], number))
    fold_of = {number: place % _FOLDS for place, number in enumerate(order)}
    return np.array([fold_of[number] for number in labels.groups.tolist()], np.intp)
