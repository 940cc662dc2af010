"""What a family is, in one line, and whether it still grows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from detectors.evidence_kinds import EvidenceKind, describe
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
    '8 crafted pictures of 1 client share the client ip:203.0.113.7 and pictures that look alike.'
    """
    what = describe(dict(sorted(kinds.items(), key=lambda item: -item[1])))
    order = list(Tie)
    things = sorted(shared, key=lambda thing: (order.index(thing.tie), -thing.requests))
    by_tie = [list(same) for _, same in groupby(things, key=lambda thing: thing.tie)]
    most = sorted(by_tie, key=lambda same: -sum(thing.requests for thing in same))[:_MAX_TIES]
    return f"{what} of {clients} client{'s' * (clients != 1)} share {_list(map(_phrase, most))}."


def _phrase(same: Sequence[SharedThing]) -> str:
    tie, value = same[0].tie, same[0].value
    if tie is Tie.PICTURE:
        return "pictures that look alike"
    return f"{_PHRASES[tie]}{_value(tie, value)}{_more(len(same) - 1)}"


_PHRASES = {
    Tie.PATCH: "a listed patch (decision ",
    Tie.PERTURBATION: "a listed perturbation (decision ",
    Tie.CLIENT: "the client ",
    Tie.NETWORK: "the network ",
    Tie.BURST: "a burst at ",
    Tie.DIRECTION: "what is unusual: ",
}


def _value(tie: Tie, value: str) -> str:
    if tie in {Tie.PATCH, Tie.PERTURBATION}:
        return f"{value})"
    if tie is Tie.BURST:
        return f"{datetime.fromtimestamp(60 * int(value), UTC):%Y-%m-%d %H:%M} UTC"
    if tie is Tie.DIRECTION:
        return _list(
            f"{'less' if name[0] == '-' else 'more'} {name[1:].replace('_', ' ')}"
            for name in value.split()
        )
    return value


def _more(number: int) -> str:
    return f" and {number} more" if number else ""


def _list(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
