"""Whom automatic blocks hit, by which the caps hold them back."""

from datetime import datetime, timedelta

import pytest

from store.decisions.decisions import BY_ANALYST, add_decision
from store.decisions.impact import values_hit_by_policy
from store.decisions.scopes import Scope
from store.engine.database import Database
from tests.makers import make_decision

INSIDE, OUTSIDE = "ip:2001:db8:66:1::/64", "ip:198.51.100.7"
NETWORK = "2001:db8:66::/61"


@pytest.mark.parametrize(
    ("origin", "simulated", "hit"),
    [
        (BY_ANALYST, False, {OUTSIDE}),
        (BY_ANALYST, True, {INSIDE, OUTSIDE}),
        ("policy", False, {INSIDE, OUTSIDE, NETWORK}),
    ],
)
def test_clients_of_a_network_that_a_person_blocks_are_that_persons_doing(
    database: Database, now: datetime, origin: str, simulated: bool, hit: set[str]
) -> None:
    until = now + timedelta(hours=1)
    network = make_decision(
        scope=Scope.NETWORK, value=NETWORK, origin=origin, simulated=simulated, until=until
    )
    with database.write() as session:
        for value in (INSIDE, OUTSIDE):
            add_decision(session, make_decision(value=value, until=until), now)
        add_decision(session, network, now)
    with database.read() as session:
        assert values_hit_by_policy(session, now) == hit
        assert values_hit_by_policy(session, until + timedelta(minutes=1)) >= {INSIDE, OUTSIDE}
