"""Groups unusual requests by what they share; pure, and the same in any order.

A tie that everybody has says nothing: 200 people behind one address, and one attacker among them,
are no family. So a client ties its requests only if so many of them are unusual, and a network its
clients only if most of them are such clients. Bursts and directions are weak: they tie what is
still alone, or groups that point the same way, and never draw a single request into a group.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from detectors.families.components import Components
from detectors.families.likeness import direction_of, same_pictures
from detectors.families.members import Bond, Crowd, Group, Member, Tie

MIN_CLIENT_SHARE = 0.2
"""Share of unusual requests, beside those that passed, for a client to tie them."""
MIN_NETWORK_SHARE = 0.5
"""Share of a network's clients that have to be tied for the network to tie them."""
MIN_BURST_SHARE = 0.5
"""Share of the requests of a minute that have to be unusual for it to tie them."""
_MIN_CLIENTS = 3
_MIN_LONE = 3
_KEY_PREFIX = "key:"
Value = TypeVar("Value", bound=Hashable)


def form_groups(members: Iterable[Member], crowd: Crowd) -> tuple[Group, ...]:
    """Groups of two requests or more, the one with the oldest request first."""
    ordered = sorted(members, key=lambda member: member.key)
    groups = _join(_strong_bonds(ordered, crowd))
    groups = _join([*_bonds_of(groups), *_bonds_of_directions(groups, ordered)])
    for find in (_find_bursts, _find_directions):
        grouped = {key for group in groups for key in group.keys}
        alone = [member for member in ordered if member.key not in grouped]
        groups += _join(find(alone, ordered, crowd))
    return tuple(sorted(groups, key=lambda group: min(group.keys)))


def _join(bonds: Iterable[Bond]) -> list[Group]:
    held = list(bonds)
    keys = Components[int]()
    for bond in held:
        keys.join(bond.keys)
    place = {key: number for number, same in enumerate(keys.sets()) for key in same}
    parts: dict[int, list[Bond]] = {}
    for bond in held:
        parts.setdefault(place[min(bond.keys)], []).append(bond)
    return [
        Group(frozenset().union(*(b.keys for b in part)), tuple(part)) for part in parts.values()
    ]


def _bonds_of(groups: Iterable[Group]) -> Iterator[Bond]:
    return (bond for group in groups for bond in group.bonds)


def _strong_bonds(members: Sequence[Member], crowd: Crowd) -> Iterator[Bond]:
    unusual = Counter(member.client for member in members)
    tied = [member for member in members if _is_tied(member, unusual, crowd)]
    yield from _by_value(Tie.PATCH, members, lambda member: member.patches)
    yield from _by_value(Tie.PERTURBATION, members, lambda member: member.perturbations)
    yield from _by_value(Tie.CLIENT, tied, lambda member: (member.client,))
    for bond in _by_value(Tie.NETWORK, tied, lambda member: (member.network,)):
        clients = len({member.client for member in tied if member.key in bond.keys})
        if clients >= max(_MIN_CLIENTS, MIN_NETWORK_SHARE * crowd.clients.get(bond.value, 0)):
            yield bond
    for same in same_pictures(members):
        yield from _bond(Tie.PICTURE, "", same)


def _is_tied(member: Member, unusual: Counter[str], crowd: Crowd) -> bool:
    """Whether a client is one sender, most likely; whoever lends a key answers for it."""
    if member.client.startswith(_KEY_PREFIX):
        return True
    number = unusual[member.client]
    return number >= MIN_CLIENT_SHARE * (number + crowd.requests.get(member.client, 0))


def _bonds_of_directions(groups: Sequence[Group], members: Sequence[Member]) -> Iterator[Bond]:
    """Groups of which most requests point the same way."""
    direction = {member.key: direction_of(member.contributions) for member in members}
    by_direction: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        leading, number = Counter(direction[key] for key in group.keys).most_common(1)[0]
        if leading and 2 * number > len(group.keys):
            by_direction.setdefault(leading, []).append(group)
    for features, alike in by_direction.items():
        if len(alike) > 1:
            keys = {key for group in alike for key in group.keys if direction[key] == features}
            yield Bond(Tie.DIRECTION, " ".join(features), frozenset(keys))


def _find_bursts(
    alone: Sequence[Member], members: Sequence[Member], crowd: Crowd
) -> Iterator[Bond]:
    """Minutes in which most of what came was unusual; those beside each other are one burst."""
    unusual, lone = Counter(map(_minute, members)), Counter(map(_minute, alone))
    bursts = sorted(
        minute
        for minute, number in lone.items()
        if number >= _MIN_LONE
        and minute in crowd.minutes
        and unusual[minute] >= MIN_BURST_SHARE * crowd.minutes[minute]
    )
    first: dict[int, int] = {}
    for minute in bursts:
        first[minute] = first.get(minute - 1, minute)
    return _by_value(Tie.BURST, alone, lambda m: [first[_minute(m)]] if _minute(m) in first else [])


def _minute(member: Member) -> int:
    return int(member.received_at.timestamp() // 60)


def _find_directions(
    alone: Sequence[Member], _members: Sequence[Member], _crowd: Crowd
) -> Iterator[Bond]:
    bonds = _by_value(Tie.DIRECTION, alone, _direction_value)
    return (bond for bond in bonds if len(bond.keys) >= _MIN_LONE)


def _direction_value(member: Member) -> tuple[str, ...]:
    features = direction_of(member.contributions)
    return (" ".join(features),) if features else ()


def _by_value(
    tie: Tie, members: Sequence[Member], values: Callable[[Member], Iterable[Value]]
) -> Iterator[Bond]:
    by_value: dict[Value, list[Member]] = {}
    for member in members:
        for value in values(member):
            by_value.setdefault(value, []).append(member)
    for value, same in by_value.items():
        yield from _bond(tie, str(value), same)


def _bond(tie: Tie, value: str, members: Sequence[Member]) -> Iterator[Bond]:
    keys = frozenset(member.key for member in members)
    if len(keys) > 1:
        yield Bond(tie, value, keys)
