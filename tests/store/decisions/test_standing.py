"""What else is decided about a value, in words."""

from collections.abc import Callable
from datetime import datetime
from typing import Unpack

import pytest

from store.decisions.decisions import add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.decisions.standing import describe_new, describe_rest
from store.engine.database import Database
from store.people.api_keys import add_key
from tests.makers import DecisionChanges, make_decision

CLIENT, NETWORK, PICTURE = "ip:203.0.113.7", "203.0.113.0/24", "ab" * 32

Say = Callable[..., str]


@pytest.fixture
def make(database: Database, now: datetime) -> Say:
    """Makes a decision; what is said of it."""

    def made(**changes: Unpack[DecisionChanges]) -> str:
        changes.setdefault("value", CLIENT)
        new = make_decision(**changes)
        with database.write() as session:
            return describe_new(session, add_decision(session, new, now), now)

    return made


@pytest.fixture
def end(database: Database, now: datetime) -> Say:
    """Ends a decision; what is said of the rest."""

    def ended(decision_id: int) -> str:
        with database.write() as session:
            row = revoke(session, decision_id, "ada", "A test.", now)
            return describe_rest(session, row, now)

    return ended


def test_of_the_first_decision_on_a_value_nothing_is_said(make: Say, end: Say) -> None:
    assert make() == ""
    assert make(value="ip:198.51.100.9") == ""
    assert end(1) == ""


def test_an_allow_names_what_it_ended(make: Say) -> None:
    make()
    make(scope=Scope.NETWORK, value=NETWORK)
    assert make(kind=Kind.ALLOW) == "It ended the block of decision 1."
    assert make(kind=Kind.ALLOW, scope=Scope.NETWORK, value="203.0.0.0/16") == (
        "It ended the block of decision 2."
    )


def test_the_name_of_a_key_that_is_not_there_is_told(
    database: Database, make: Say, now: datetime
) -> None:
    with database.write() as session:
        add_key(session, "acme", "ada", now)
    assert make(scope=Scope.API_KEY, value="key:acme") == ""
    said = make(scope=Scope.API_KEY, value="key:acmee")
    sentence = "No key has the name of key:acmee so far: it holds for one that is made later."
    assert said == sentence
    allow = make(kind=Kind.ALLOW, scope=Scope.API_KEY, value="key:acmee")
    assert allow == f"{sentence} It ended the block of decision 2."


def test_of_many_ends_some_are_named(make: Say) -> None:
    for host in range(7):
        make(value=f"ip:203.0.113.{host}")
    said = make(kind=Kind.ALLOW, scope=Scope.NETWORK, value=NETWORK)
    assert said == "It ended the block of decisions 1, 2, 3, 4, 5 and 2 others."


def test_a_block_that_an_allow_overrides_is_told(make: Say) -> None:
    make(kind=Kind.ALLOW, scope=Scope.NETWORK, value=NETWORK)
    overridden = "It refuses nobody while the allow of decision 1 holds."
    assert make() == overridden
    assert make(scope=Scope.NETWORK, value="203.0.113.0/28") == overridden
    assert make(scope=Scope.NETWORK, value="203.0.0.0/16") == ""


def test_what_is_simulated_holds_for_nobody(make: Say, end: Say) -> None:
    make(kind=Kind.ALLOW)
    assert make(simulated=True) == ""
    make()
    assert end(3) == ""


def test_pictures_that_look_like_one_are_covered_by_a_radius(make: Say, end: Say) -> None:
    make(scope=Scope.SIMILAR, value=f"{PICTURE}/10")
    make(scope=Scope.SIMILAR, value=f"{PICTURE}/4")
    assert end(2) == "The block of decision 1 still holds for it."


def test_a_picture_has_nothing_to_do_with_networks(make: Say, end: Say) -> None:
    make(scope=Scope.NETWORK, value=NETWORK)
    make(scope=Scope.CONTENT, value=PICTURE)
    make(scope=Scope.CONTENT, value=PICTURE)
    assert end(3) == "The block of decision 2 still holds for it."
