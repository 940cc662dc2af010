"""Which families new groups belong to: families grow and merge, and are never numbered anew."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detectors.families.components import Components
from detectors.families.members import Bond, Group

MIN_OVERLAP = 0.5
"""Share of a family's requests that a group must have to be one with it."""


@dataclass(frozen=True)
class Extension:
    """What becomes of a family, or a new one.

    Attributes:
        family: the oldest of those that belong together; ``None`` for a new one.
        merged: families that become a part of it.
        joined: requests that belong to it from now on.
        bonds: what holds its newer requests together.
    """

    family: int | None
    merged: tuple[int, ...]
    joined: frozenset[int]
    bonds: tuple[Bond, ...]


def extend_families(groups: Iterable[Group], family_of: Mapping[int, int]) -> list[Extension]:
    """Say what groups add to families that there are.

    A request stays in its family, also where it now groups with others. Families merge if one group
    has half of each; a group that lies in one for the most part extends it.

    Args:
        family_of: the family of each request that has one, by key; smaller numbers are older.
    """
    sizes = Counter(family_of.values())
    parts = Components[tuple[str, int]]()
    numbered = list(enumerate(groups))
    for number, group in numbered:
        owners = [("family", family) for family in _claims(group, family_of, sizes)]
        parts.join([("group", number), *owners])
    return [
        extension
        for part in parts.sets()
        if (extension := _extend(part, dict(numbered), family_of)) is not None
    ]


def _claims(group: Group, family_of: Mapping[int, int], sizes: Mapping[int, int]) -> list[int]:
    """Families of which the group has most; of none, the oldest that has most of the group."""
    shared = Counter(family_of[key] for key in group.keys if key in family_of)
    whole = [family for family, number in shared.items() if number >= MIN_OVERLAP * sizes[family]]
    large = [family for family, number in shared.items() if number >= MIN_OVERLAP * len(group.keys)]
    return whole or sorted(large)[:1]


def _extend(
    part: Iterable[tuple[str, int]], groups: Mapping[int, Group], family_of: Mapping[int, int]
) -> Extension | None:
    nodes = list(part)
    mine = [groups[number] for kind, number in nodes if kind == "group"]
    families = sorted(number for kind, number in nodes if kind == "family")
    joined = frozenset(key for group in mine for key in group.keys if key not in family_of)
    if not families and len(joined) < 2:
        return None
    bonds = tuple(bond for group in mine for bond in group.bonds)
    return Extension(families[0] if families else None, tuple(families[1:]), joined, bonds)
