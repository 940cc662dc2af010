"""Whether traffic is like what a baseline was learnt from: a test over clients."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, comb, isnan

from detectors.baseline.baseline import Baseline
from detectors.baseline.sample import SampleRow

# Share of clean pictures whose first look lies beyond `Baseline.look_again`, by construction.
EXPECTED_BEYOND = 0.1
# A baseline comes into force unless so much oddness, or more, is this unlikely among its own kind.
LEVEL = 0.05
# It is put back only if this share is odd, which a fifth of hostile clients does not reach, and if
# chance makes as much this seldom.
MAX_BEYOND = 0.3
PUT_BACK_LEVEL = 0.001
# With fewer clients nothing is proven.
MIN_CLIENTS = 20


@dataclass(frozen=True)
class TrafficFit:
    """How odd traffic is to a baseline.

    Attributes:
        clients: how many were counted, each once.
        beyond: mean over the clients of the share of their pictures beyond the tenth.
        chance: how likely as much or more is among pictures like those it was learnt from.
    """

    clients: int
    beyond: float
    chance: float

    @property
    def fits(self) -> bool:
        """Whether the baseline may come into force."""
        return self.clients >= MIN_CLIENTS and self.chance > LEVEL

    @property
    def is_strange(self) -> bool:
        """Whether a baseline that is in force has to be put back."""
        return self.beyond > MAX_BEYOND and self.chance < PUT_BACK_LEVEL


def measure_fit(baseline: Baseline, rows: Sequence[SampleRow]) -> TrafficFit:
    """Count the clients whose pictures are odd to a baseline (one-sided binomial test)."""
    odd: defaultdict[str, list[bool]] = defaultdict(list)
    for row in rows:
        score = baseline.score(row.features, first_look=True).value
        if not isnan(score):
            odd[row.client].append(score >= baseline.look_again)
    shares = [sum(flags) / len(flags) for flags in odd.values()]
    if not shares:
        return TrafficFit(0, 0.0, 1.0)
    count = ceil(sum(shares) - 1e-9)
    return TrafficFit(len(shares), sum(shares) / len(shares), _tail(count, len(shares)))


def _tail(count: int, trials: int) -> float:
    """Chance of so many or more successes."""
    share = EXPECTED_BEYOND
    less = sum(
        comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(min(count, trials))
    )
    return max(0.0, 1 - less)
