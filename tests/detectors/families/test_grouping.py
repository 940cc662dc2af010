"""Unusual requests form families by what they share, and not by what everybody shares."""

from collections.abc import Iterable
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.families import likeness
from detectors.families.components import Components
from detectors.families.grouping import form_groups
from detectors.families.members import Crowd, Group, Member, Tie
from tests.detectors.families.made_up_members import NOON, look_of, make_member

ATTACKER = "ip:203.0.113.7"
FAR = {"entropy_mean": -9.0, "skin_share": 6.0}


def _only(members: list[Member], crowd: Crowd | None = None) -> Group:
    (group,) = form_groups(members, crowd or Crowd())
    assert group.keys == {member.key for member in members}
    return group


def _ties(group: Group) -> set[Tie]:
    return {bond.tie for bond in group.bonds}


def test_requests_that_share_nothing_form_no_family() -> None:
    assert form_groups([make_member(f"ip:198.51.{n}.7") for n in range(50)], Crowd()) == ()


def test_what_one_client_sent_is_a_family() -> None:
    group = _only([make_member(ATTACKER) for _ in range(3)], Crowd(requests={ATTACKER: 12}))
    assert _ties(group) == {Tie.CLIENT}
    assert group.bonds[0].value == ATTACKER


def test_an_address_that_many_ordinary_people_share_ties_nothing() -> None:
    crowd = Crowd(requests={ATTACKER: 220})
    members = [make_member(ATTACKER) for _ in range(20)]
    assert form_groups(members, crowd) == ()


def test_the_attacker_behind_a_shared_address_is_a_family_without_its_neighbours() -> None:
    honest = [make_member(ATTACKER) for _ in range(5)]
    attacks = [make_member(ATTACKER, look=look_of(1, flipped)) for flipped in range(8)]
    (group,) = form_groups([*honest, *attacks], Crowd(requests={ATTACKER: 400}))
    assert group.keys == {member.key for member in attacks}


def test_whoever_lends_a_key_answers_for_it() -> None:
    _only([make_member("key:acme") for _ in range(2)], Crowd(requests={"key:acme": 10_000}))


def test_a_network_of_attackers_is_one_family() -> None:
    members = [make_member(f"ip:203.0.113.{n}") for n in range(3)]
    group = _only(members, Crowd(clients={"203.0.113.0/24": 6}))
    assert _ties(group) == {Tie.NETWORK}


def test_a_network_of_200_users_and_one_attacker_is_no_family() -> None:
    honest = [make_member(f"ip:203.0.113.{n}") for n in range(10, 14)]
    attacks = [make_member(ATTACKER) for _ in range(20)]
    requests = {member.client: 1 for member in honest} | {ATTACKER: 20}
    crowd = Crowd(requests=requests, clients={"203.0.113.0/24": 201})
    (group,) = form_groups([*honest, *attacks], crowd)
    assert group.keys == {member.key for member in attacks}


def test_two_odd_clients_of_a_small_network_are_no_family() -> None:
    members = [make_member(f"ip:203.0.113.{n}") for n in range(2)]
    assert form_groups(members, Crowd(clients={"203.0.113.0/24": 2})) == ()


def test_pictures_that_look_alike_are_one_family_whoever_sends_them() -> None:
    members = [make_member(f"ip:198.51.{n}.7", look=look_of(4, n)) for n in range(6)]
    assert _ties(_only(members)) == {Tie.PICTURE}


def test_pictures_beyond_the_radius_are_others() -> None:
    looks = (look_of(4), look_of(4, flipped=11))
    assert (
        form_groups(
            [make_member(f"ip:198.51.{n}.7", look=look) for n, look in enumerate(looks)], Crowd()
        )
        == ()
    )


def test_the_same_bytes_are_one_family_without_a_look() -> None:
    _only([make_member(f"ip:198.51.{n}.7", content="ab" * 32) for n in range(2)])


@pytest.mark.parametrize("tie", [Tie.PATCH, Tie.PERTURBATION])
def test_what_is_listed_ties(tie: Tie) -> None:
    listed = frozenset({5})
    members = [
        make_member(f"ip:198.51.{n}.7", patches=listed)
        if tie is Tie.PATCH
        else make_member(f"ip:198.51.{n}.7", perturbations=listed)
        for n in range(2)
    ]
    group = _only(members)
    assert (_ties(group), group.bonds[0].value) == ({tie}, "5")


def test_lone_requests_that_point_the_same_way_are_a_family() -> None:
    group = _only([make_member(f"ip:198.51.{n}.7", contributions=FAR) for n in range(3)])
    assert group.bonds[0].value == "-entropy_mean +skin_share"


def test_the_other_side_of_normal_is_another_direction() -> None:
    other = {name: -value for name, value in FAR.items()}
    ways = (FAR, FAR, other, other)
    members = [make_member(f"ip:198.51.{n}.7", contributions=way) for n, way in enumerate(ways)]
    assert form_groups(members, Crowd()) == ()


def test_a_direction_draws_no_lone_request_into_a_group() -> None:
    attacks = [make_member(ATTACKER, contributions=FAR) for _ in range(9)]
    honest = [make_member(f"ip:198.51.{n}.7", contributions=FAR) for n in range(4)]
    first, second = form_groups([*attacks, *honest], Crowd())
    assert first.keys == {member.key for member in attacks}
    assert second.keys == {member.key for member in honest}


def test_groups_that_point_the_same_way_are_one_family() -> None:
    clients = ("ip:198.51.1.7", "ip:203.0.113.7")
    members = [make_member(client, contributions=FAR) for client in clients for _ in range(4)]
    assert _ties(_only(members)) == {Tie.CLIENT, Tie.DIRECTION}


def _at(minute: int, client: str) -> Member:
    return make_member(client, received_at=NOON + timedelta(minutes=minute))


def test_a_burst_is_a_family_where_little_else_came() -> None:
    members = [_at(n // 3, f"ip:198.51.{n}.7") for n in range(6)]
    minute = int(NOON.timestamp() // 60)
    group = _only(members, Crowd(minutes={minute: 5, minute + 1: 4}))
    assert _ties(group) == {Tie.BURST}


def test_odd_requests_of_a_busy_minute_are_no_burst() -> None:
    members = [_at(0, f"ip:198.51.{n}.7") for n in range(6)]
    assert form_groups(members, Crowd(minutes={int(NOON.timestamp() // 60): 13})) == ()


_CLIENTS = tuple(f"ip:198.51.{n // 3}.{n}" for n in range(9))
_WAYS: tuple[dict[str, float], ...] = ({}, FAR, {"persons": 4.0})
_PARTS = st.tuples(
    st.sampled_from(_CLIENTS),
    st.none() | st.integers(0, 4),
    st.sampled_from(range(len(_WAYS))),
    st.integers(0, 3),
    st.frozensets(st.integers(1, 2), max_size=1),
)


def _member(part: tuple[str, int | None, int, int, frozenset[int]]) -> Member:
    client, look, way, minute, patches = part
    return make_member(
        client,
        look=None if look is None else look_of(look),
        contributions=_WAYS[way],
        received_at=NOON + timedelta(minutes=minute),
        patches=patches,
    )


@given(parts=st.lists(_PARTS, max_size=30), seed=st.integers(0, 99), crowded=st.booleans())
def test_groups_are_the_same_in_any_order_and_share_no_request(
    parts: list[tuple[str, int | None, int, int, frozenset[int]]], seed: int, crowded: bool
) -> None:
    members = [_member(part) for part in parts]
    crowd = Crowd(requests=dict.fromkeys(_CLIENTS, 100)) if crowded else Crowd()
    groups = form_groups(members, crowd)
    shuffled = Random(seed).sample(members, len(members))  # noqa: S311 - an order, no secret
    assert {group.keys for group in form_groups(shuffled, crowd)} == {g.keys for g in groups}
    keys = [key for group in groups for key in group.keys]
    assert len(keys) == len(set(keys))
    assert all(len(group.keys) > 1 and group.bonds for group in groups)


@given(attacks=st.integers(2, 30), honest=st.integers(0, 10), users=st.integers(200, 400))
def test_a_crowd_never_glues_an_attacker_to_its_neighbours(
    attacks: int, honest: int, users: int
) -> None:
    neighbours = [make_member(f"ip:203.0.113.{n}") for n in range(20, 20 + honest)]
    mine = [make_member(ATTACKER, look=look_of(n)) for n in range(attacks)]
    requests = {member.client: 3 for member in neighbours} | {ATTACKER: attacks}
    crowd = Crowd(requests=requests, clients={"203.0.113.0/24": users + 1})
    (group,) = form_groups([*neighbours, *mine], crowd)
    assert group.keys == {member.key for member in mine}


def test_chains_of_looks_are_joined_look_by_look(monkeypatch: pytest.MonkeyPatch) -> None:
    joins = 0

    class Counting(Components[bytes | str]):
        def join(self, nodes: Iterable[bytes | str]) -> None:
            nonlocal joins
            joins += 1
            super().join(nodes)

    monkeypatch.setattr(likeness, "Components", {bytes | str: Counting})
    looks = [int.from_bytes(look_of(n % 2)) ^ (7 << n % 250) for n in range(300)]
    members = [make_member(ATTACKER, look=look.to_bytes(32)) for look in looks]
    groups = [group for group in likeness.same_pictures(members) if group]
    assert sorted(map(len, groups)) == [150, 150]
    assert joins <= 2 * len(members)
