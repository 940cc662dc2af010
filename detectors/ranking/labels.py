"""Labels: what people said of requests, each weighed so that no sender and no person owns them.

Requests of one family or one network are alike, and so are their labels. They form one group, which
counts for a few labels however many it has, and which is never on both sides of a held-out trial.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.families.components import Components
from detectors.outliers.preparation import Matrix, Vector

MIN_LABELS = 50
"""A re-ranker is trained from so many labels on."""
MIN_OF_EACH = 10
"""So many of them say that it is an attack, and so many that it is none."""
MIN_GROUPS = 5
"""So many groups have labels of each answer."""
MAX_OF_GROUP = 5
"""The labels of a family or a network count as so many at most."""
MAX_OF_PERSON = 100
"""The labels of one person count as so many at most, or as those of all others together."""

# Of one group more say the same again.
_MAX_ROWS = 25

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Label:
    """What was said of one request.

    Attributes:
        row: its inputs, ``(inputs,)``.
        ties: names of its family and its network: who shares one belongs together.
        who: the person that said it.
    """

    row: Vector
    is_attack: bool
    ties: tuple[str, ...]
    who: str


@dataclass(frozen=True)
class LabelCount:
    """How many labels there are, and as how many they count.

    Attributes:
        given: requests that something was said of.
        confirmed, dismissed: as how many these count.
        confirmed_groups, dismissed_groups: groups that have such.
    """

    given: int
    confirmed: int
    dismissed: int
    confirmed_groups: int
    dismissed_groups: int

    @property
    def counted(self) -> int:
        """As how many labels all count."""
        return self.confirmed + self.dismissed

    @property
    def suffices(self) -> bool:
        """Whether a re-ranker can be trained."""
        return next(self.list_lacks(), None) is None

    @property
    def sentence(self) -> str:
        """How far it is, for people."""
        words = f"{self.counted} labels" if self.suffices else f"{self._progress} labels"
        answers = f"{self.confirmed} confirmed and {self.dismissed} dismissed"
        return " ".join((f"{words}, {answers}.", *self.list_lacks()))

    def list_lacks(self) -> Iterator[str]:
        """What is missing, one sentence each."""
        if self.counted < MIN_LABELS:
            yield (
                f"An order is learnt from {MIN_LABELS} on; those of one family or network count "
                f"as {MAX_OF_GROUP} at most."
            )
        if min(self.confirmed, self.dismissed) < MIN_OF_EACH:
            yield f"It takes at least {MIN_OF_EACH} of each answer."
        elif min(self.confirmed_groups, self.dismissed_groups) < MIN_GROUPS:
            yield f"It takes at least {MIN_GROUPS} families or networks of each answer."

    @property
    def _progress(self) -> str:
        return f"{self.counted} of {MIN_LABELS}" if self.counted < MIN_LABELS else str(self.counted)


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as a re-ranker learns from them.

    Attributes:
        rows: inputs, ``(n, inputs)``.
        attacks: what was confirmed, ``(n,)``.
        groups: the number of each one's group, ``(n,)``.
        weights: as how many labels each counts, ``(n,)``.
        count: of all that were given.
    """

    rows: Matrix
    attacks: Bools
    groups: Numbers
    weights: Vector
    count: LabelCount

    def choose(self, chosen: Bools) -> "Labels":
        """The labels where ``(n,)`` is true, with the weights that they have among all."""
        return Labels(
            self.rows[chosen],
            self.attacks[chosen],
            self.groups[chosen],
            self.weights[chosen],
            self.count,
        )


def weigh_labels(labels: Sequence[Label], inputs: int) -> Labels:
    """Group labels and weigh them.

    Args:
        labels: the newest first: of one group only the first few are kept.
        inputs: how many numbers a row has.
    """
    groups = _number_groups(labels)
    kept = _keep_first(groups)
    chosen = [label for label, keep in zip(labels, kept, strict=True) if keep]
    rows = np.array([label.row for label in chosen], np.float64).reshape(-1, inputs)
    attacks = np.array([label.is_attack for label in chosen], bool)
    numbers = groups[kept]
    weights = _weigh(numbers, [label.who for label in chosen])
    return Labels(rows, attacks, numbers, weights, _count(len(labels), attacks, numbers, weights))


def _number_groups(labels: Sequence[Label]) -> Numbers:
    """Numbers in the order of the first label of each group."""
    components: Components[str] = Components()
    for label in labels:
        components.join(label.ties)
    number_of = {tie: number for number, ties in enumerate(components.sets()) for tie in ties}
    return np.array([number_of[label.ties[0]] for label in labels], np.intp)


def _keep_first(groups: Numbers) -> Bools:
    rows: Counter[int] = Counter()
    kept = np.zeros(len(groups), bool)
    for place, group in enumerate(groups.tolist()):
        kept[place] = rows[group] < _MAX_ROWS
        rows[group] += 1
    return kept


def _weigh(groups: Numbers, people: Sequence[str]) -> Vector:
    of_group = np.bincount(groups)[groups] if len(groups) else np.empty(0)
    weights = np.minimum(1.0, MAX_OF_GROUP / of_group)
    names = np.array(people, dtype=object)
    whole = weights.sum()
    scaled = weights.copy()
    for name in sorted(set(people)):
        mine = names == name
        own = weights[mine].sum()
        scaled[mine] *= min(1.0, max(MAX_OF_PERSON, whole - own) / own)
    return np.asarray(scaled, np.float64)


def _count(given: int, attacks: Bools, groups: Numbers, weights: Vector) -> LabelCount:
    confirmed, dismissed = (
        # A sum of fifths may be a little less than the whole number that it stands for.
        int(round(float(weights[which].sum()), 6))
        for which in (attacks, ~attacks)
    )
    confirmed_groups, dismissed_groups = (
        len(np.unique(groups[which])) for which in (attacks, ~attacks)
    )
    return LabelCount(given, confirmed, dismissed, confirmed_groups, dismissed_groups)
