"""Families keep their number from scan to scan, grow by overlap, and merge into the oldest."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from detectors.families.continuing import extend_families
from detectors.families.members import Bond, Group, Tie


def _group(*keys: int) -> Group:
    bond = Bond(Tie.CLIENT, "ip:203.0.113.7", frozenset(keys))
    return Group(bond.keys, (bond,))


def test_a_group_of_nobody_is_a_new_family() -> None:
    (extension,) = extend_families([_group(1, 2, 3)], {})
    assert (extension.family, extension.joined) == (None, frozenset({1, 2, 3}))


def test_a_family_grows() -> None:
    (extension,) = extend_families([_group(1, 2, 3)], {1: 8, 2: 8})
    assert (extension.family, extension.merged) == (8, ())
    assert extension.joined == {3}


def test_families_that_one_group_holds_merge_into_the_oldest() -> None:
    (extension,) = extend_families([_group(1, 2, 3, 4, 5)], {1: 9, 2: 9, 3: 4, 4: 4})
    assert (extension.family, extension.merged) == (4, (9,))
    assert extension.joined == {5}


def test_one_stray_request_does_not_take_its_family_along() -> None:
    family_of = dict.fromkeys(range(1, 11), 3)
    (extension,) = extend_families([_group(1, 21, 22, 23)], family_of)
    assert extension.family is None
    assert extension.joined == {21, 22, 23}


def test_two_strays_do_not_merge_their_families() -> None:
    family_of = dict.fromkeys(range(1, 11), 3) | dict.fromkeys(range(11, 21), 5)
    assert extend_families([_group(1, 11, 30)], family_of) == []


def test_a_family_that_falls_apart_stays_one() -> None:
    family_of = dict.fromkeys(range(1, 11), 3)
    groups = [_group(1, 2, 3, 4, 5, 6, 21), _group(7, 8, 9, 10, 22)]
    (extension,) = extend_families(groups, family_of)
    assert (extension.family, extension.joined) == (3, frozenset({21, 22}))


_GROUPS = st.lists(st.integers(0, 5), min_size=1, max_size=40)


@given(
    parts=_GROUPS,
    owners=st.lists(st.none() | st.integers(1, 4), max_size=40),
    seed=st.integers(0, 9),
)
def test_every_request_has_one_family_and_keeps_it(
    parts: list[int], owners: list[int | None], seed: int
) -> None:
    by_part: dict[int, list[int]] = {}
    for key, part in enumerate(parts):
        by_part.setdefault(part, []).append(key)
    groups = [_group(*keys) for keys in by_part.values() if len(keys) > 1]
    family_of = {key: owner for key, owner in enumerate(owners[: len(parts)]) if owner is not None}
    extensions = extend_families(groups, family_of)
    joined = [key for extension in extensions for key in extension.joined]
    assert len(joined) == len(set(joined))
    assert family_of.keys().isdisjoint(joined)
    named = [f for e in extensions for f in (e.family, *e.merged) if f is not None]
    assert len(named) == len(set(named))
    assert all(e.family is None or all(e.family < other for other in e.merged) for e in extensions)
    shuffled = Random(seed).sample(groups, len(groups))  # noqa: S311 - an order, no secret
    again = extend_families(shuffled, family_of)
    assert {(e.family, e.merged, e.joined) for e in again} == {
        (e.family, e.merged, e.joined) for e in extensions
    }


@given(parts=_GROUPS)
def test_the_same_groups_again_change_nothing(parts: list[int]) -> None:
    by_part: dict[int, list[int]] = {}
    for key, part in enumerate(parts):
        by_part.setdefault(part, []).append(key)
    groups = [_group(*keys) for keys in by_part.values() if len(keys) > 1]
    first = extend_families(groups, {})
    family_of = {key: number for number, e in enumerate(first, 1) for key in e.joined}
    for extension in extend_families(groups, family_of):
        assert (extension.merged, extension.joined) == ((), frozenset())
