"""Shared addresses and shared networks: who attacks is kept out, and nobody beside them."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import func, select

from jobs.blocking.decide import run
from jobs.context import JobContext
from store.decisions.access_list import read_access_list
from store.decisions.decisions import active_decisions, revoke
from store.decisions.scenarios import ATTACKING_NETWORK, enable_scenario
from store.decisions.scopes import Kind, Scope
from store.tables.audit_tables import AuditRow
from store.tables.work_tables import DecisionRow, ProposalRow
from tests.jobs.nursery import Nursery

NAT, PICTURES = "ip:198.51.100.7", tuple(f"{number:064x}" for number in range(6))
NEIGHBOURS = [f"ip:203.0.113.{number}" for number in range(200)]


def attack(traffic: Any, client: str, count: int = 4, **more: Any) -> None:
    traffic.flagged(client, count, reason="adversarial_picture", **more)


def wide_open(context: JobContext, **changes: Any) -> JobContext:
    """No cap, for tests whose subject is something else."""
    caps = {"cap_client_share": 1.0, "cap_traffic_share": 1.0, **changes}
    return replace(context, settings=context.settings.model_copy(update=caps))


def enable_networks(context: JobContext) -> None:
    with context.database.write() as session:
        enable_scenario(session, ATTACKING_NETWORK, "ada", "Seen it.", "analyst:ada", context.now)


def is_blocked(context: JobContext, client: str, picture: str | None = None) -> bool:
    with context.database.read() as session:
        access = read_access_list(session, context.now)
    return access.is_blocked(context.now, [client], picture)


def networks(context: JobContext) -> list[DecisionRow]:
    with context.database.read() as session:
        its_own = select(DecisionRow).where(DecisionRow.scope == Scope.NETWORK.value)
        return list(session.scalars(its_own.order_by(DecisionRow.id)))


@pytest.mark.parametrize(
    ("reason", "pictures"), [("polyglot", 3), ("probing_sequence", 18), ("adversarial_picture", 45)]
)
def test_behind_one_address_the_pictures_are_blocked_and_not_the_200_users(
    context: JobContext, traffic: Any, reason: str, pictures: int
) -> None:
    traffic.clean(NAT, 200, minutes_ago=20)
    hashes = [f"{number:064x}" for number in range(pictures)]
    for picture in hashes:
        traffic.flagged(NAT, 1, reason=reason, content_sha256=picture)
    run(wide_open(context))
    assert not is_blocked(context, NAT)
    # A run looks at the newest ones; each is told apart by its bytes.
    assert all(is_blocked(context, NAT, picture) for picture in hashes[-18:])
    assert not is_blocked(context, NAT, "ff" * 32)


def test_behind_one_address_the_key_of_the_attacker_is_blocked(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean(NAT, 200, minutes_ago=20)
    traffic.clean("key:shop", 50, minutes_ago=20)
    attack(traffic, "key:thief")
    run(wide_open(context))
    assert is_blocked(context, "key:thief")
    assert not is_blocked(context, NAT)
    assert not is_blocked(context, "key:shop")
    with context.database.read() as session:
        [decision] = active_decisions(session, context.now, Scope.API_KEY, "key:thief", Kind.BLOCK)
    assert decision.evidence["request_ids"]


def test_a_picture_that_somebody_took_back_is_not_blocked_again(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean(NAT, 200, minutes_ago=20)
    for picture in PICTURES:
        traffic.flagged(NAT, 1, reason="polyglot", content_sha256=picture)
    context = wide_open(context)
    run(context)
    with context.database.write() as session:
        content = (session, context.now, Scope.CONTENT, PICTURES[0], Kind.BLOCK)
        [block] = active_decisions(*content)
        revoke(session, block.id, "ada", "Our logo.", context.now)
    assert run(context).rows == 0
    assert not is_blocked(context, NAT, PICTURES[0])


def test_three_attackers_among_two_hundred_neighbours_are_blocked_alone(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean_of_each(NEIGHBOURS, 1)
    attackers = [f"ip:203.0.113.{number}" for number in (201, 202, 203)]
    for client in attackers:
        attack(traffic, client)
    context = wide_open(context)
    enable_networks(context)
    run(context)
    # They lie next to each other, so that they have a narrow network of their own.
    assert [row.value for row in networks(context)] == ["203.0.113.200/30"]
    assert all(is_blocked(context, client) for client in attackers)
    with context.database.read() as session:
        access = read_access_list(session, context.now)
    assert not any(access.is_blocked(context.now, [client]) for client in NEIGHBOURS)


def test_attackers_that_lie_apart_among_neighbours_are_blocked_one_by_one(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean_of_each(NEIGHBOURS, 1)
    attackers = [f"ip:203.0.113.{number}" for number in (3, 100, 230)]
    for client in attackers:
        attack(traffic, client, 8)
    context = wide_open(context)
    enable_networks(context)
    run(context)
    assert networks(context) == []
    assert all(is_blocked(context, client) for client in attackers)
    assert not is_blocked(context, "ip:203.0.113.4")


@pytest.mark.parametrize(
    ("clients", "network"),
    [
        (("ip:198.51.100.1", "ip:198.51.100.130", "ip:198.51.100.250"), "198.51.100.0/24"),
        (("ip:2001:db8:7:1::1", "ip:2001:db8:7:2::1", "ip:2001:db8:7:3::1"), "2001:db8:7::/62"),
        (("ip:198.51.100.1", "ip:198.51.101.1", "ip:198.51.102.1"), None),
        (("ip:2001:db8:7::1", "ip:2001:db8:8::1", "ip:2001:db8:9::1"), None),
    ],
)
def test_most_clients_of_a_network_become_one_block_that_is_never_too_wide(
    context: JobContext, traffic: Any, clients: tuple[str, ...], network: str | None
) -> None:
    for client in clients:
        attack(traffic, client)
    context = wide_open(context)
    enable_networks(context)
    run(context)
    assert [row.value for row in networks(context)] == ([] if network is None else [network])
    assert all(is_blocked(context, client) for client in clients)
    if network is not None:
        with context.database.read() as session:
            assert len(session.scalars(select(DecisionRow)).all()) == 1
        assert sorted(networks(context)[0].evidence["clients"]) == sorted(
            client if "." in client else client.replace("::1", "::/64") for client in clients
        )
    assert run(context).rows == 0


def test_a_network_is_simulated_until_somebody_turns_it_on(
    context: JobContext, traffic: Any
) -> None:
    clients = [f"ip:198.51.100.{number}" for number in (1, 130, 250)]
    for client in clients:
        attack(traffic, client)
    # The setting that enforces all others is set already: it is not what the sentence may ask for.
    assert run(wide_open(context)).sentence == (
        "Blocked 3 clients. Would block 1 network (simulated: `maskwatch decisions enable "
        "attacking_network` to enforce)."
    )
    assert [row.simulated for row in networks(context)] == [True]
    assert not is_blocked(context, "ip:198.51.100.9")


def test_no_network_with_a_trusted_proxy_or_this_machine_in_it_is_blocked(
    context: JobContext, traffic: Any
) -> None:
    for number in (1, 130, 250):
        attack(traffic, f"ip:10.0.0.{number}")
        attack(traffic, f"ip:127.0.0.{number}")
    context = wide_open(context, trusted_proxies=(ip_network("10.0.0.77/32"),))
    enable_networks(context)
    run(context)
    assert networks(context) == []
    assert is_blocked(context, "ip:10.0.0.1")
    assert not is_blocked(context, "ip:127.0.0.1")


def test_a_network_that_somebody_took_back_is_not_blocked_for_the_same_clients(
    context: JobContext, traffic: Any
) -> None:
    for number in (1, 130, 250):
        attack(traffic, f"ip:198.51.100.{number}")
    context = wide_open(context)
    enable_networks(context)
    run(context)
    with context.database.write() as session:
        revoke(session, networks(context)[0].id, "ada", "A school.", context.now)
    context = replace(context, now=context.now + timedelta(minutes=1))
    run(context)
    assert [row.revoked_by for row in networks(context)] == ["ada"]


def test_an_address_of_ipv6_that_changes_within_its_64_is_one_client(
    context: JobContext, traffic: Any
) -> None:
    for number in range(4):
        attack(traffic, f"ip:2001:db8::{number + 1}", 1)
    assert run(context).sentence == "Blocked 1 client."
    assert is_blocked(context, "ip:2001:db8::ffff")
    assert not is_blocked(context, "ip:2001:db8:0:1::1")
    assert run(context).rows == 0


def test_a_decide_that_is_killed_in_the_middle_leaves_nothing_half_done(
    context: JobContext, traffic: Any, nursery: Nursery
) -> None:
    for number in range(5):
        attack(traffic, f"ip:198.51.{number}.1")
    nursery.kill_at("jobs.blocking.decide:add_decision", "decide", context, calls=4)
    with context.database.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (DecisionRow, ProposalRow, AuditRow)
        ]
    assert counts == [0, 0, 0]
    assert run(context).sentence == "Blocked 5 clients."


def test_a_network_beyond_the_caps_lets_none_of_its_clients_off(
    context: JobContext, traffic: Any
) -> None:
    attackers = [f"ip:198.51.100.{number}" for number in range(8)]
    for client in attackers:
        attack(traffic, client)
    enable_networks(context)
    for _ in range(2):
        run(context)
        # Five clients may be blocked however few there are.
        assert sum(is_blocked(context, client) for client in attackers) == 5
        with context.database.read() as session:
            proposed = session.scalars(select(ProposalRow.value)).all()
        assert proposed == ["198.51.100.0/29"]


def test_a_network_that_only_had_a_simulated_block_is_judged_anew(
    context: JobContext, traffic: Any
) -> None:
    context = wide_open(context, block_minutes=600)
    for number in range(4):
        attack(traffic, f"ip:198.51.100.{number}")
    run(context)
    assert [row.simulated for row in networks(context)] == [True]
    context = replace(wide_open(context, block_minutes=60), now=context.now + timedelta(hours=2))
    enable_networks(context)
    run(context)
    assert [row.simulated for row in networks(context)] == [True, False]
    assert run(context).rows == 0
    # Enforced once, it does not come back for the same clients.
    context = replace(context, now=context.now + timedelta(minutes=61))
    assert run(context).rows == 0


def test_the_pictures_of_an_address_that_only_had_simulated_blocks_are_judged_anew(
    context: JobContext, traffic: Any
) -> None:
    traffic.clean(NAT, 200, minutes_ago=20)
    for picture in PICTURES:
        traffic.flagged(NAT, 1, reason="polyglot", content_sha256=picture)
    run(wide_open(context, simulate_blocks=True, block_minutes=600))
    # The simulated blocks still hold, and what led to them is older than a window.
    context = replace(context, now=context.now + timedelta(hours=2))
    assert not is_blocked(context, NAT, PICTURES[0])
    run(wide_open(context))
    assert all(is_blocked(context, NAT, picture) for picture in PICTURES)
    assert not is_blocked(context, NAT)
    # Enforced once, they do not come back for the same requests.
    context = replace(context, now=context.now + timedelta(minutes=61))
    assert run(wide_open(context)).rows == 0
    assert not is_blocked(context, NAT, PICTURES[0])
