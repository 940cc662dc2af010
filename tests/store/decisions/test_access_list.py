"""The access list: blocks, allows and their ends, looked up without the database."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from store.decisions.access_list import AccessList, read_access_list
from store.decisions.decisions import Kind, NewDecision, Scope, add_decision, revoke
from store.engine.change_marks import Mark
from store.engine.database import Database

ADDRESS, KEY, PICTURE = "ip:203.0.113.7", "key:acme", "ab" * 32
Decide = Callable[..., int]


@pytest.fixture
def decide(database: Database, now: datetime) -> Decide:
    """Appends a block or an allow of some minutes; gives its key."""

    def decided(
        value: str, kind: Kind = Kind.BLOCK, *, minutes: float = 60, simulated: bool = False
    ) -> int:
        scope = Scope.CONTENT if value == PICTURE else Scope.CLIENT
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
