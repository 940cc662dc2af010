from datetime import datetime, timedelta

import pytest

from store.decisions.clients.client_decisions import read_blocked_senders
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database


def block(database: Database, scope: Scope, value: str, now: datetime) -> int:
    until = now + timedelta(hours=1)
    new = NewDecision(Kind.BLOCK, scope, value, "by_hand", "analyst", "Attacks.", "ada", until)
    with database.write() as session:
        return add_decision(session, new, now).id


@pytest.mark.parametrize(
    ("scope", "value", "client"),
    [
        (Scope.CLIENT, "ip:203.0.113.7", "ip:203.0.113.7"),
        (Scope.CLIENT, "ip:2001:db8::/64", "ip:2001:db8::9"),
        (Scope.API_KEY, "key:acme", "key:acme"),
        (Scope.NETWORK, "203.0.113.0/24", "ip:203.0.113.200"),
        (Scope.NETWORK, "2001:db8::/48", "ip:2001:db8:0:7::1"),
    ],
)
def test_who_was_blocked_by_name_key_or_network_is_known_until_it_is_revoked(
    database: Database, now: datetime, scope: Scope, value: str, client: str
) -> None:
    number = block(database, scope, value, now)
    with database.read() as session:
        is_blocked = read_blocked_senders(session)
    assert is_blocked(client)
    assert not is_blocked("ip:198.51.100.1")
    assert not is_blocked("key:shop")
    with database.write() as session:
        revoke(session, number, "ada", "By mistake.", now)
    with database.read() as session:
        assert not read_blocked_senders(session)(client)
