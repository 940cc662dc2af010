"""What analysts type becomes the name that records and lookups use, or is refused."""

from datetime import datetime, timedelta
from ipaddress import ip_network

import pytest

from store.decisions.access_list import read_access_list
from store.decisions.by_hand import client_name, decision_by_hand, read_value, warn_of_block
from store.decisions.decisions import DecisionError, add_decision
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.people.api_keys import add_key


@pytest.mark.parametrize(
    ("typed", "client"),
    [
        (" 203.0.113.7 ", "ip:203.0.113.7"),
        ("IP:2001:DB8::1", "ip:2001:db8::/64"),
        ("ip:2001:db8::/64", "ip:2001:db8::/64"),
        ("::ffff:203.0.113.7", "ip:203.0.113.7"),
        ("cli:local", "cli:local"),
        ("key:acme", "key:acme"),
        (" KEY:Acme.web-1_b ", "key:Acme.web-1_b"),
        ("key:" + "a" * 60, "key:" + "a" * 60),
    ],
)
def test_a_client_is_named_as_records_name_it(typed: str, client: str) -> None:
    assert client_name(typed) == client


@pytest.mark.parametrize("typed", ["203.0.113.0/24", "ip:203.0.113.0/24", "2001:DB8::/48"])
def test_a_network_is_no_client_and_is_told_its_scope(typed: str) -> None:
    with pytest.raises(DecisionError, match="choose the scope cidr"):
        client_name(typed)


def test_a_picture_is_no_client_and_is_told_its_scope() -> None:
    with pytest.raises(DecisionError, match="choose the scope content"):
        client_name("AB" * 32)


def test_an_allow_cannot_be_simulated(now: datetime) -> None:
    with pytest.raises(DecisionError, match="An allow cannot be simulated"):
        decision_by_hand(
            kind=Kind.ALLOW,
            scope=Scope.CLIENT,
            value="203.0.113.7",
            minutes=60,
            reason="Try it.",
            who="ada",
            simulated=True,
            now=now,
        )


@pytest.mark.parametrize(
    "typed", ["", "acme", "ip:acme", "key:", "key: acme", "key:a b", "key:<b>"]
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
    key = access.find_key(secret)
    assert key is not None
    client = key.client
    assert client == "key:acme"
    assert access.is_blocked(now + timedelta(minutes=59), [client])
    assert not access.is_blocked(now + timedelta(minutes=60), [client])


def test_senders_whom_nobody_can_tell_apart_cannot_be_blocked() -> None:
    with pytest.raises(DecisionError, match="X-Forwarded-For"):
        client_name("Unknown@10.0.0.1")


@pytest.mark.parametrize(
    ("value", "kind", "simulated", "is_warned_of"),
    [
        ("10.0.0.1", Kind.BLOCK, False, True),
        ("10.0.0.1", Kind.BLOCK, True, False),
        ("10.0.0.1", Kind.ALLOW, False, False),
        ("192.0.2.7", Kind.BLOCK, False, False),
    ],
)
def test_a_block_of_a_trusted_proxy_is_warned_of(
    value: str, kind: Kind, simulated: bool, is_warned_of: bool, now: datetime
) -> None:
    decision = decision_by_hand(
        kind=kind,
        scope=Scope.CLIENT,
        value=value,
        minutes=60,
        reason="A test.",
        who="ada",
        simulated=simulated,
        now=now,
    )
    warning = warn_of_block(decision, (ip_network("10.0.0.0/8"),))
    assert (warning is not None) is is_warned_of


@pytest.mark.parametrize(
    ("scope", "typed", "value"),
    [
        (Scope.NETWORK, " 203.0.113.0/24", "203.0.113.0/24"),
        (Scope.NETWORK, "2001:DB8::/48", "2001:db8::/48"),
        (Scope.NETWORK, "::ffff:203.0.113.0/120", "203.0.113.0/24"),
        (Scope.API_KEY, "acme", "key:acme"),
        (Scope.API_KEY, "key:acme", "key:acme"),
        (Scope.SIMILAR, "AB" * 32, "ab" * 32 + "/10"),
        (Scope.SIMILAR, "ab" * 32 + "/31", "ab" * 32 + "/31"),
    ],
)
def test_what_decisions_are_about_is_written_in_one_form(
    scope: Scope, typed: str, value: str
) -> None:
    assert read_value(scope, typed) == value


@pytest.mark.parametrize(
    ("scope", "typed", "why"),
    [
        (Scope.NETWORK, "203.0.113.7/24", "has host bits: the network is 203.0.113.0/24"),
        (Scope.NETWORK, "2001:db8::1/48", "has host bits: the network is 2001:db8::/48"),
        (Scope.NETWORK, "0.0.0.0/0", "too wide"),
        (Scope.NETWORK, "a school", "Name a network"),
        (Scope.SIMILAR, "ab" * 32 + "/64", "A radius of 64 is too wide: it is 0 to 31 bits"),
        (Scope.SIMILAR, "ab" * 32 + "/-1", "64 hexadecimal digits"),
        (Scope.SIMILAR, "ab" * 31, "64 hexadecimal digits"),
        (Scope.API_KEY, "a b", "Name a client with a key"),
        (Scope.PATCH, "ab" * 32, "by themselves"),
    ],
)
def test_what_is_nothing_of_its_scope_is_refused(scope: Scope, typed: str, why: str) -> None:
    with pytest.raises(DecisionError, match=why):
        read_value(scope, typed)
