"""What a family is, in one line, and whether it still grows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from detectors.evidence.kinds import EvidenceKind, describe
from detectors.families.members import Tie

QUIET_AFTER = timedelta(days=1)
_MAX_TIES = 3


class Life(StrEnum):
    """Whether a family grows."""

    GROWING = "growing"
    QUIET = "quiet"
    """Nothing came in a day."""


@dataclass(frozen=True)
class SharedThing:
    """A tie of a family with its value, and how many requests it ties."""

    tie: Tie
    value: str
    requests: int


def life_of(last_at: datetime, now: datetime) -> Life:
    """Whether a family grows, by the time of its newest request."""
    return Life.QUIET if now - last_at >= QUIET_AFTER else Life.GROWING


def describe_family(
    kinds: Mapping[EvidenceKind, int], clients: int, shared: Iterable[SharedThing]
) -> str:
    """One line.

    >>> tied = [SharedThing(Tie.CLIENT, "ip:203.0.113.7", 8), SharedThing(Tie.PICTURE, "", 5)]
    >>> describe_family({EvidenceKind.CRAFTED: 8}, 1, tied)
    '8 crafted pictures of the client ip:203.0.113.7 share pictures that look alike.'
    """
    what = describe(dict(sorted(kinds.items(), key=lambda item: -item[1])))
    order = list(Tie)
    things = sorted(shared, key=lambda thing: (order.index(thing.tie), -thing.requests))
    by_tie = {tie: list(same) for tie, same in groupby(things, key=lambda thing: thing.tie)}
    senders = by_tie.pop(Tie.CLIENT, [])
    if clients != 1 or len(senders) != 1:
        who = f"{clients} client{'s' * (clients != 1)}"
        # Who sent them is more than a number only where nothing else ties them.
        ties = list(by_tie.values()) or [senders]
    else:
        who, ties = f"the client {senders[0].value}", list(by_tie.values())
    most = sorted(ties, key=lambda same: -sum(thing.requests for thing in same))[:_MAX_TIES]
    return f"{what} of {who}{_say_shared(most)}."


def _say_shared(ties: Sequence[Sequence[SharedThing]]) -> str:
    return f" share {_list(map(_phrase, ties))}" if any(ties) else ""


def phrase_value(thing: SharedThing) -> str:
    """Which patch, client, network, burst or direction it is.

    >>> phrase_value(SharedThing(Tie.DIRECTION, "-entropy_mean +skin_share", 3))
    'less entropy mean and more skin share'
    """
    if thing.tie in {Tie.PATCH, Tie.PERTURBATION}:
        return f"decision {thing.value}"
    if thing.tie is Tie.BURST:
        return f"{datetime.fromtimestamp(60 * int(thing.value), UTC):%Y-%m-%d %H:%M} UTC"
    if thing.tie is Tie.DIRECTION:
        return _list(map(_phrase_feature, thing.value.split()))
    return thing.value or "pictures that look alike"


def _phrase_feature(name: str) -> str:
    return f"{'less' if name[0] == '-' else 'more'} {name[1:].replace('_', ' ')}"


def _phrase(same: Sequence[SharedThing]) -> str:
    first, *others = same
    more = f" and {len(others)} more" if others else ""
    return _PHRASES[first.tie].format(phrase_value(first)) + more


_PHRASES = {
    Tie.PATCH: "a listed patch ({})",
    Tie.PERTURBATION: "a listed perturbation ({})",
    Tie.PICTURE: "{}",
    Tie.CLIENT: "the client {}",
    Tie.NETWORK: "the network {}",
    Tie.BURST: "a burst at {}",
    Tie.DIRECTION: "what is unusual: {}",
}


def _list(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
