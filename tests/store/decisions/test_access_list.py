"""The access list: blocks, allows and their ends, looked up without the database."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from store.decisions.access_list import AccessList, read_access_list
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.change_marks import Mark
from store.engine.database import Database

ADDRESS, KEY, PICTURE = "ip:203.0.113.7", "key:acme", "ab" * 32
HASH, NEAR, FAR = bytes(32), bytes(31) + b"\x07", bytes(30) + b"\xff\xff"
Decide = Callable[..., int]


def scope_of(value: str) -> Scope:
    """What a value of these tests is."""
    if value == PICTURE:
        return Scope.CONTENT
    if value.startswith(("ip:", "key:")):
        return Scope.CLIENT
    return Scope.SIMILAR if len(value) > 60 else Scope.NETWORK


@pytest.fixture
def decide(database: Database, now: datetime) -> Decide:
    """Appends a block or an allow of some minutes; gives its key."""

    def decided(
        value: str, kind: Kind = Kind.BLOCK, *, minutes: float = 60, simulated: bool = False
    ) -> int:
        scope = scope_of(value)
        until = now + timedelta(minutes=minutes)
        new = NewDecision(
            kind, scope, value, "by_hand", "analyst", "A test.", "ada", until, simulated
        )
        with database.write() as session:
            return add_decision(session, new, now).id

    return decided


def _read(database: Database, now: datetime) -> AccessList:
    with database.read() as session:
        return read_access_list(session, now)


def test_an_end_is_honoured_without_reading_again(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide(ADDRESS)
    access = _read(database, now)
    moments = [now, now + timedelta(minutes=59, seconds=59), now + timedelta(minutes=60)]
    assert [access.is_blocked(moment, [ADDRESS]) for moment in moments] == [True, True, False]


def test_the_longest_of_several_blocks_counts(
    database: Database, decide: Decide, now: datetime
) -> None:
    for minutes in (30, 90, 60):
        decide(ADDRESS, minutes=minutes)
    access = _read(database, now)
    assert access.is_blocked(now + timedelta(minutes=89), [ADDRESS])
    assert not access.is_blocked(now + timedelta(minutes=90), [ADDRESS])


def test_a_block_holds_for_any_name_of_the_sender(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide(ADDRESS)
    access = _read(database, now)
    assert access.is_blocked(now, [KEY, ADDRESS])
    assert not access.is_blocked(now, [KEY])
    assert not access.is_blocked(now, [KEY, "ip:203.0.113.70"], ADDRESS)


@pytest.mark.parametrize("allowed", [KEY, ADDRESS, PICTURE])
@pytest.mark.parametrize("blocked", [KEY, ADDRESS, PICTURE])
def test_an_allow_of_one_wins_over_a_block_of_another_until_it_ends(
    database: Database, decide: Decide, now: datetime, blocked: str, allowed: str
) -> None:
    # Allowed first: an allow that comes later would revoke the block of the same value.
    decide(allowed, Kind.ALLOW, minutes=10)
    decide(blocked)
    access = _read(database, now)
    assert not access.is_blocked(now, [KEY, ADDRESS], PICTURE)
    assert access.is_blocked(now + timedelta(minutes=10), [KEY, ADDRESS], PICTURE)


def test_what_is_simulated_revoked_or_over_is_not_loaded(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide("ip:192.0.2.1", simulated=True)
    decide("ip:192.0.2.2", Kind.ALLOW, simulated=True)
    revoked = decide("ip:192.0.2.3")
    decide("ip:192.0.2.4", minutes=5)
    decide(ADDRESS)
    with database.write() as session:
        revoke(session, revoked, "ada", "A mistake.", now)
    access = _read(database, now + timedelta(minutes=5))
    assert dict(access.ends) == {
        (Kind.BLOCK, Scope.CLIENT, ADDRESS): now + timedelta(minutes=60),
    }


def test_it_says_which_versions_it_was_read_at(
    database: Database, decide: Decide, now: datetime
) -> None:
    before = _read(database, now).marks[Mark.DECISIONS]
    decide(ADDRESS)
    assert _read(database, now).marks[Mark.DECISIONS] == before + 1


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("203.0.113.0/24", "ip:203.0.113.255", "ip:203.0.114.0"),
        ("203.0.113.7/32", "ip:203.0.113.7", "ip:203.0.113.8"),
        ("2001:db8:1::/48", "ip:2001:db8:1:ffff::1", "ip:2001:db8:2::1"),
    ],
)
def test_a_network_is_blocked_with_all_that_is_in_it(
    database: Database, decide: Decide, now: datetime, network: str, inside: str, outside: str
) -> None:
    decide(network)
    access = _read(database, now)
    assert access.is_blocked(now, [KEY, inside])
    assert not access.is_blocked(now, [outside])
    assert not access.is_blocked(now + timedelta(minutes=60), [inside])


def test_a_client_of_ipv6_is_its_64(database: Database, decide: Decide, now: datetime) -> None:
    decide("ip:2001:db8::7")
    access = _read(database, now)
    assert access.is_blocked(now, ["ip:2001:db8::ffff:1"])
    assert not access.is_blocked(now, ["ip:2001:db8:0:1::7"])


def test_an_allowed_address_of_a_blocked_network_may_send(
    database: Database, decide: Decide, now: datetime
) -> None:
    decide("203.0.113.0/24")
    decide(ADDRESS, Kind.ALLOW, minutes=10)
    access = _read(database, now)
    assert not access.is_blocked(now, [ADDRESS])
    assert access.is_blocked(now, ["ip:203.0.113.8"])
    assert access.is_blocked(now + timedelta(minutes=10), [ADDRESS])


def test_pictures_that_look_like_a_blocked_one_are_known_up_to_its_radius(
    database: Database, decide: Decide, now: datetime
) -> None:
    assert _read(database, now).find_similar(now, HASH) is None
    decide(f"{HASH.hex()}/4")
    access = _read(database, now)
    assert str(access.find_similar(now, NEAR)) == f"{HASH.hex()}/4"
    assert access.find_similar(now, FAR) is None
    assert access.find_similar(now + timedelta(minutes=60), HASH) is None
    assert not access.is_allowed(now, [], PICTURE, HASH)
    decide(f"{HASH.hex()}/16", Kind.ALLOW)
    assert _read(database, now).is_allowed(now, [], PICTURE, FAR)


def test_a_refresh_gives_what_reading_all_anew_gives(
    database: Database, decide: Decide, now: datetime
) -> None:
    values = [ADDRESS, "203.0.113.0/24", "ip:2001:db8::7", f"{HASH.hex()}/4", PICTURE, KEY]
    first = [decide(value) for value in values]
    for value in values[:3]:
        decide(value, minutes=90)
    access = _read(database, now)
    decide("198.51.100.0/24")
    decide(ADDRESS, Kind.ALLOW)
    with database.write() as session:
        for block in first[1:]:
            revoke(session, block, "ada", "A mistake.", now)
    with database.read() as session:
        refreshed = read_access_list(session, now, access)
    anew = _read(database, now)
    assert refreshed.ends == anew.ends
    assert refreshed.marks == anew.marks
    for client in ("ip:203.0.113.8", "ip:198.51.100.1", ADDRESS, KEY, "ip:2001:db8::1"):
        assert refreshed.is_blocked(now, [client]) == anew.is_blocked(now, [client])
    assert refreshed.find_similar(now, HASH) == anew.find_similar(now, HASH)
