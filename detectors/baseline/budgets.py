"""Alarm budgets: on how much of a source's accepted traffic a rule may fire, counted over senders.

A share is a mean over networks, each with a bounded weight. A rule is demoted only if its share is
over its budget whichever one network is left out. So neither one client nor one network can have a
rule demoted, or keep it so, whose share without it keeps the budget. Networks on nearly all of
whose requests a rule fires, as on those of an attacker, are left out too, up to a quarter of all.

How often clean pictures are called crafted cannot be counted among those that are: attacks are
there too, one each from many networks perhaps. It is told from what lies just below the line, where
a baseline that fits has a known share of clean pictures, and attacks, which overshoot, have few.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import accumulate

from detectors.baseline.baseline import Baseline
from detectors.baseline.budget_limits import Limits
from detectors.baseline.networks import network_of_client
from detectors.baseline.phases import CONTENT_CODES
from detectors.rule_book import ADVERSARIAL_PICTURE

# More requests of one network do not count more.
MAX_WEIGHT = 20
# A rule that was demoted is promoted again once it fires on less than this part of its budget.
PROMOTE_AT = 0.8
# A network of so many requests, of which a rule fires on more than this part, is one sender's
# doing; if more than this share of the networks are such, it is the rule's.
_MIN_REQUESTS = 3
_ONE_DOING = 0.5
MAX_LEFT_OUT = 0.25
_CRAFTED = ADVERSARIAL_PICTURE.code
# Before, a single request more or less would decide.
MIN_REQUESTS = 200
# The rule about crafted pictures has its budget for its rate: only what chance does not make, of
# some hundred requests, is more.
CRAFTED_MARGIN = 2.0
# Of clean pictures: what reaches the lower edge of the band below the line, and the line.
_BAND_SHARE, _LINE_SHARE = 0.02, 0.005


@dataclass(frozen=True)
class Request:
    """A request that was accepted and parsed.

    Attributes:
        codes: of its findings.
        score: its tamper score, if a baseline that flags gave it one.
        trigger_score: what the search for a trigger found, if there was one.
    """

    client: str
    codes: Set[str]
    score: float | None = None
    trigger_score: float | None = None


@dataclass(frozen=True)
class Band:
    """The scores just below the line from which on pictures are called crafted.

    Attributes:
        clean_above: of clean pictures, those above the line over those within the band.
    """

    low: float
    line: float
    clean_above: float = _LINE_SHARE / (_BAND_SHARE - _LINE_SHARE)

    @classmethod
    def of(cls, baseline: Baseline) -> "Band":
        """That of a baseline, at the default rate.

        Of its calibration pictures more may lie within than the tail that was fitted has there.
        """
        low, line = baseline.threshold(_BAND_SHARE), baseline.threshold(_LINE_SHARE)
        within = sum(low <= score < line for score in baseline.scores)
        share = max(_BAND_SHARE - _LINE_SHARE, within / max(1, len(baseline.scores)))
        return cls(low, line, _LINE_SHARE / share)

    def mark(self, request: Request) -> Request:
        """The request with a finding if it lies within."""
        is_within = request.score is not None and self.low <= request.score < self.line
        return replace(request, codes=frozenset({_CRAFTED} if is_within else ()))


@dataclass(frozen=True)
class RuleCount:
    """How often a rule fires on a source.

    Attributes:
        share: mean over networks of the share of their requests.
        least_share: the same without the network that counts most, which decides.
        requests: requests that were counted; ``clients`` who sent them.
        firing_clients: clients with a request on which it fires.
    """

    code: str
    share: float
    least_share: float
    requests: int
    clients: int
    firing_clients: int
    is_demoted: bool


@dataclass(frozen=True)
class Network:
    """The requests of one network, and how many of them a rule fires on."""

    requests: int
    firings: int

    @property
    def weight(self) -> int:
        """How much it counts."""
        return min(self.requests, MAX_WEIGHT)

    @property
    def share(self) -> float:
        """The share of its requests on which the rule fires."""
        return self.firings / self.requests

    @property
    def is_one_doing(self) -> bool:
        """Whether hardly anything but firings comes from it."""
        return self.requests >= _MIN_REQUESTS and self.share > _ONE_DOING


def count_rules(
    requests: Sequence[Request], demoted: Set[str], limits: Limits, band: Band | None = None
) -> tuple[RuleCount, ...]:
    """Count every rule of the content, and say which are demoted from now on.

    Args:
        demoted: codes of the rules that are demoted now.
        band: of the baseline that flags; without one nothing is called crafted, and that rule is
            not demoted.
    """
    clean = _leave_out_crafted(requests, demoted)
    crafted = _count_crafted(requests, _CRAFTED in demoted, limits.each, band)
    others = [
        _count(code, clean, code in demoted, limits.each)
        for code in sorted(CONTENT_CODES - {_CRAFTED})
    ]
    counts = _keep_total([*others, crafted], clean, limits)
    return tuple(sorted(counts, key=lambda count: count.code))


def _count_crafted(
    requests: Sequence[Request], was_demoted: bool, budget: float, band: Band | None
) -> RuleCount:
    """How often clean pictures are called crafted, from what lies just below the line."""
    firing = len({request.client for request in requests if _CRAFTED in request.codes})
    if band is None:
        clients = len({request.client for request in requests})
        return RuleCount(_CRAFTED, 0.0, 0.0, len(requests), clients, firing, is_demoted=False)
    judged = [each for each in requests if each.score is not None and each.score < band.line]
    networks = group_networks(map(band.mark, judged), {_CRAFTED})
    share, least = (
        each * band.clean_above for each in (share_of(networks), _share_of_most(networks))
    )
    limit = CRAFTED_MARGIN * budget * (PROMOTE_AT if was_demoted else 1)
    return RuleCount(
        _CRAFTED,
        share,
        least,
        len(judged),
        len({request.client for request in judged}),
        firing,
        is_demoted=least > limit if len(judged) >= MIN_REQUESTS else was_demoted,
    )


def _share_of_most(networks: Sequence[Network]) -> float:
    """Without the quarter of the networks with the largest shares, and one more.

    Attacks that are not called crafted lie below the line too.
    """
    ranking = sorted(networks, key=lambda network: -network.share)
    counted = ranking[int(MAX_LEFT_OUT * len(networks)) + 1 :]
    weight = sum(network.weight for network in counted)
    return sum(network.weight * network.share for network in counted) / weight if weight else 0.0


def _leave_out_crafted(requests: Sequence[Request], demoted: Set[str]) -> list[Request]:
    """What the looks call crafted says nothing about other rules, if the looks can be believed."""
    return [each for each in requests if _CRAFTED in demoted or _CRAFTED not in each.codes]


def _count(code: str, requests: Sequence[Request], was_demoted: bool, budget: float) -> RuleCount:
    networks = group_networks(requests, {code})
    least = least_share(networks)
    limit = PROMOTE_AT * budget if was_demoted else budget
    # Too few requests change nothing.
    is_demoted = least > limit if len(requests) >= MIN_REQUESTS else was_demoted
    return RuleCount(
        code,
        share_of(networks),
        least,
        len(requests),
        len({request.client for request in requests}),
        len({request.client for request in requests if code in request.codes}),
        is_demoted,
    )


def _keep_total(
    counts: Sequence[RuleCount], requests: Sequence[Request], limits: Limits
) -> Iterable[RuleCount]:
    """Demote those that fire most, until the others together keep the budget of all."""
    demoted = {count.code for count in counts if count.is_demoted}
    rest = sorted(
        (count for count in counts if not count.is_demoted), key=lambda count: count.least_share
    )
    while rest and len(requests) >= MIN_REQUESTS:
        if _total(rest, requests, limits.each) <= limits.total:
            break
        demoted.add(rest.pop().code)
    return (replace(count, is_demoted=count.code in demoted) for count in counts)


def _total(counts: Sequence[RuleCount], requests: Sequence[Request], each: float) -> float:
    """On how much all fire together; what is called crafted counts with its own budget at most."""
    shares = {count.code: count.least_share for count in counts}
    crafted = min(shares.pop(_CRAFTED, 0.0), each)
    return crafted + least_share(group_networks(requests, shares.keys()))


def group_networks(requests: Iterable[Request], codes: Set[str]) -> list[Network]:
    """The requests by network, and on how many of each any of the rules fires."""
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for request in requests:
        total = totals[network_of_client(request.client)]
        total[0] += 1
        total[1] += not codes.isdisjoint(request.codes)
    return [Network(*total) for total in totals.values()]


def share_of(networks: Sequence[Network]) -> float:
    """The weighted mean share of the networks that count; 0 without any."""
    counted = _leave_out(networks)
    weight = sum(network.weight for network in counted)
    return sum(network.weight * network.share for network in counted) / weight if weight else 0.0


def least_share(networks: Sequence[Network]) -> float:
    """The smallest share that there is without one of the networks; 0 with fewer than two."""
    if len(networks) < 2:
        return 0.0
    return min(_shares_without_one(_rank_networks(networks)))


def _leave_out(networks: Sequence[Network]) -> list[Network]:
    """Without the networks that are one sender's doing, the worst first, up to a part of all."""
    doings = sum(network.is_one_doing for network in networks)
    return _rank_networks(networks)[min(doings, int(MAX_LEFT_OUT * len(networks))) :]


def _rank_networks(networks: Sequence[Network]) -> list[Network]:
    """The networks that are one sender's doing first, of each kind the largest shares first."""
    return sorted(networks, key=lambda network: (-network.is_one_doing, -network.share))


def _shares_without_one(ranking: Sequence[Network]) -> Iterable[float]:
    """The share without each network; sums are made once, so that many networks cost little."""
    weights = list(accumulate((each.weight for each in ranking), initial=0))
    firings = list(accumulate((each.weight * each.share for each in ranking), initial=0.0))
    doings = sum(network.is_one_doing for network in ranking)
    most = int(MAX_LEFT_OUT * (len(ranking) - 1))
    for place, network in enumerate(ranking):
        left = min(doings - network.is_one_doing, most)
        # One of the first is out anyway: then the next one is left out in its place.
        first = left + 1 if place < left + 1 and network.is_one_doing else left
        is_inside = place >= first
        weight = weights[-1] - weights[first] - (network.weight if is_inside else 0)
        fired = firings[-1] - firings[first]
        fired -= network.weight * network.share if is_inside else 0.0
        yield fired / weight if weight else 0.0
