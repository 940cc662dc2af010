"""What analysts type becomes the name that records and lookups use, or is refused."""

from datetime import datetime, timedelta

import pytest

from dashboard.access.manual_decisions import client_name, decision_by_hand
from store.decisions.access_list import read_access_list
from store.decisions.decisions import DecisionError, Kind, Scope, add_decision
from store.engine.database import Database
from store.people.api_keys import add_key


@pytest.mark.parametrize(
    ("typed", "client"),
    [
        (" 203.0.113.7 ", "ip:203.0.113.7"),
        ("IP:2001:DB8::1", "ip:2001:db8::1"),
        ("::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("cli:local", "cli:local"),
        ("key:acme", "key:acme"),
        (" KEY:Acme.web-1_b ", "key:Acme.web-1_b"),
        ("key:" + "a" * 60, "key:" + "a" * 60),
    ],
)
def test_a_client_is_named_as_records_name_it(typed: str, client: str) -> None:
    assert client_name(typed) == client


@pytest.mark.parametrize(
    "typed", ["", "acme", "ip:acme", "203.0.113.0/24", "key:", "key: acme", "key:a b", "key:<b>"]
)
def test_what_names_no_client_is_refused(typed: str) -> None:
    with pytest.raises(DecisionError, match="Name a client"):
        client_name(typed)


@pytest.mark.parametrize("typed", ["key:mwk_" + "s" * 43, "key:" + "s" * 61])
def test_a_key_typed_in_place_of_its_name_is_neither_taken_nor_echoed(typed: str) -> None:
    with pytest.raises(DecisionError, match="never type the key") as caught:
        client_name(typed)
    assert "sss" not in str(caught.value)


def test_a_key_that_is_blocked_by_hand_is_blocked(database: Database, now: datetime) -> None:
    decision = decision_by_hand(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value="Key:acme",
        minutes=60,
        reason="It leaked.",
        who="ada",
        simulated=False,
        now=now,
    )
    with database.write() as session:
        secret = add_key(session, "acme", "ada", now)
        add_decision(session, decision, now)
    with database.read() as session:
        access = read_access_list(session, now)
    client = access.client_of(secret)
    assert client == "key:acme"
    assert access.is_blocked(now + timedelta(minutes=59), [client])
    assert not access.is_blocked(now + timedelta(minutes=60), [client])
