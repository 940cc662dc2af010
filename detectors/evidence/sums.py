"""What the evidence against one client weighs, without what chance can explain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import exp, lgamma, log, log1p

from detectors.evidence.kinds import WEIGHTS, EvidenceKind

# Evidence counts if so much of it is less likely than this among an honest client's uploads.
MAX_CHANCE = 0.001
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class EvidenceSum:
    """Evidence against one client that chance cannot explain.

    Attributes:
        counts: files by kind, the heaviest kind first.
        weight: of all of them together.
        tried: what one file of a kind weighs, where that is not what the table says.
    """

    counts: Mapping[EvidenceKind, int]
    weight: float
    tried: Mapping[EvidenceKind, float] = field(default_factory=dict, repr=False)

    @property
    def leading(self) -> EvidenceKind | None:
        """The kind that weighs most, ``None`` without any evidence."""
        return next(iter(self.counts), None)

    def restrict(self, scenarios: Collection[str]) -> "EvidenceSum":
        """What some scenarios have of it.

        >>> counts = {EvidenceKind.CRAFTED: 4, EvidenceKind.HOSTILE: 3}
        >>> weigh(counts, 7).restrict(["hostile_files"]).weight
        3.0
        """
        counts = {
            kind: count
            for kind, count in self.counts.items()
            if WEIGHTS[kind].scenario in scenarios
        }
        weight = sum(
            count * self.tried.get(kind, WEIGHTS[kind].weight) for kind, count in counts.items()
        )
        return EvidenceSum(counts, float(weight), self.tried)


def weigh(
    counts: Mapping[EvidenceKind, int],
    uploads: int,
    chances: Mapping[EvidenceKind, float] | None = None,
    weights: Mapping[EvidenceKind, float] | None = None,
) -> EvidenceSum:
    """Weigh what a client did.

    A kind counts as a whole or not at all: only if so many are less likely than one in a thousand
    among an honest client's uploads.

    >>> weigh({EvidenceKind.CRAFTED: 4, EvidenceKind.MISTAKE: 90}, 104)
    EvidenceSum(counts={}, weight=0.0)
    >>> weigh({EvidenceKind.CRAFTED: 4}, 4).weight
    4.0

    Args:
        counts: different files by kind; of a flood, requests.
        uploads: different files of any kind.
        chances: of kinds, where the table does not know them.
        weights: of kinds, where others than those of the table are tried.
    """
    chance_of = {kind: weight.chance for kind, weight in WEIGHTS.items()} | dict(chances or {})
    weight_of = {kind: weight.weight for kind, weight in WEIGHTS.items()} | dict(weights or {})
    sums = {
        kind: counts[kind] * weight_of[kind]
        for kind in WEIGHTS
        if _is_beyond_chance(counts.get(kind, 0), uploads, chance_of[kind])
    }
    order = sorted(sums, key=lambda kind: -sums[kind])
    return EvidenceSum(
        {kind: counts[kind] for kind in order}, float(sum(sums.values())), dict(weights or {})
    )


def _is_beyond_chance(count: int, uploads: int, chance: float) -> bool:
    return count > 0 and chance_of_so_many(count, max(count, uploads), chance) < MAX_CHANCE


def chance_of_so_many(count: int, among: int, chance: float) -> float:
    """The probability of at least ``count`` hits in ``among`` trials: the binomial tail.

    >>> round(chance_of_so_many(2, 3, 0.5), 3)
    0.5
    """
    if chance <= 0 or count <= 0:
        return float(count <= 0)
    if count <= among * chance:
        return 1 - chance_of_so_many(among - count + 1, among, 1 - chance)
    ways = lgamma(among + 1) - lgamma(count + 1) - lgamma(among - count + 1)
    term = exp(ways + count * log(chance) + (among - count) * log1p(-chance))
    total, hits = term, count
    # Above the mean each term is smaller than the one before.
    while hits < among and term > total * _NEGLIGIBLE:
        term *= (among - hits) / (hits + 1) * chance / (1 - chance)
        total, hits = total + term, hits + 1
    return min(1.0, total)
