"""Whether traffic is like what a baseline was learnt from: a test over clients."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, comb, isnan

from detectors.baseline.baseline import Baseline
from detectors.baseline.columns import Columns, cascade_columns, score_columns
from detectors.baseline.sample import SampleRow

# Share of clean pictures whose first look lies beyond `Baseline.tenth`, by construction.
EXPECTED_BEYOND = 0.1
# A baseline comes into force unless so much oddness, or more, is this unlikely among its own kind.
LEVEL = 0.05
# It is put back only if more than this share is odd beyond what chance makes of it. What is called
# crafted is left out of that, for it may be an attack; attacks of a quarter of the clients that are
# odd and not called crafted stay below.
MAX_BEYOND = 0.25
PUT_BACK_LEVEL = 0.001
# If more than this share is called crafted, over clients, it is the traffic.
MAX_CRAFTED = 0.5
_RATE = 0.005
# With fewer clients nothing is proven.
MIN_CLIENTS = 20


@dataclass(frozen=True)
class TrafficFit:
    """How odd traffic is to a baseline.

    Attributes:
        clients: how many were counted, each once.
        beyond: mean over the clients of the share of their pictures beyond the tenth.
        chance: how likely as much or more is among pictures like those it was learnt from.
        crafted: mean over the clients of the share that is called crafted.
        rest: the same fit without those pictures; ``None`` if there are none.
    """

    clients: int
    beyond: float
    chance: float
    crafted: float = 0.0
    rest: "TrafficFit | None" = None

    @property
    def fits(self) -> bool:
        """Whether the baseline may come into force."""
        return self.clients >= MIN_CLIENTS and self.chance > LEVEL

    @property
    def is_strange(self) -> bool:
        """Whether a baseline that is in force has to be put back."""
        if self.rest is not None and self.crafted <= MAX_CRAFTED:
            return self.rest.is_strange
        return _tail(self.odd, self.clients, MAX_BEYOND) < PUT_BACK_LEVEL

    @property
    def odd(self) -> int:
        """How many clients' worth of pictures is odd."""
        return ceil(self.beyond * self.clients - 1e-9)


def measure_fit(baseline: Baseline, rows: Sequence[SampleRow]) -> TrafficFit:
    """Count the clients whose pictures are odd to a baseline (one-sided binomial test)."""
    line = baseline.threshold(_RATE)
    is_crafted = (cascade_columns(baseline, _columns_of(rows)) >= line).tolist()
    fit = _count_odd(baseline, rows)
    if not any(is_crafted):
        return fit
    rest = [row for row, crafted in zip(rows, is_crafted, strict=True) if not crafted]
    crafted = _mean_over_clients(zip(rows, is_crafted, strict=True))
    return replace(fit, crafted=crafted, rest=_count_odd(baseline, rest))


def _count_odd(baseline: Baseline, rows: Sequence[SampleRow]) -> TrafficFit:
    scores = score_columns(baseline, _columns_of(rows), first_look=True).tolist()
    odd = [
        (row, score >= baseline.tenth)
        for row, score in zip(rows, scores, strict=True)
        if not isnan(score)
    ]
    clients = len({row.client for row, _ in odd})
    fit = TrafficFit(clients, _mean_over_clients(odd), 1.0)
    return replace(fit, chance=_tail(fit.odd, clients, EXPECTED_BEYOND))


def _columns_of(rows: Sequence[SampleRow]) -> Columns:
    return Columns([row.features for row in rows])


def _mean_over_clients(flags: Iterable[tuple[SampleRow, bool]]) -> float:
    """The mean of the clients' shares; 0 without any."""
    by_client: defaultdict[str, list[bool]] = defaultdict(list)
    for row, flag in flags:
        by_client[row.client].append(flag)
    shares = [sum(each) / len(each) for each in by_client.values()]
    return sum(shares) / len(shares) if shares else 0.0


def _tail(count: int, trials: int, share: float) -> float:
    """Chance of so many or more successes, each with this share."""
    less = sum(
        comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(min(count, trials))
    )
    return max(0.0, 1 - less)
