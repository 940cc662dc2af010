from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from sqlalchemy import select

from jobs.blocking.decide import run
from jobs.context import JobContext
from store.decisions.access_list import read_access_list
from store.decisions.decisions import (
    Kind,
    NewDecision,
    Scope,
    active_decisions,
    add_decision,
    revoke,
)
from store.requests.records import Stage
from store.tables.work_tables import DecisionRow

CLIENT = "ip:198.51.100.9"


def later(context: JobContext, **delta: float) -> JobContext:
    return replace(context, now=context.now + timedelta(**delta))


def blocked(context: JobContext, client: str = CLIENT) -> bool:
    with context.database.read() as session:
        access = read_access_list(session, context.now)
    return access.is_blocked(context.now, [client])


def decisions(context: JobContext) -> list[DecisionRow]:
    with context.database.read() as session:
        return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))


def test_repeated_refusals_block_a_client(context: JobContext, traffic: Any) -> None:
    refused = traffic.refused(CLIENT, 3)
    traffic.refused("ip:203.0.113.1", 2)
    assert run(context).sentence == "Blocked 1 client."
    [decision] = decisions(context)
    assert blocked(context)
    assert decision.reason == "3 refusals among 3 requests in 60 minutes."
    assert decision.evidence["request_ids"] == [r.request_id for r in reversed(refused)]
    assert run(context).rows == 0


def test_trusted_proxies_and_whom_they_do_not_name_are_never_blocked(
    context: JobContext, traffic: Any
) -> None:
    proxies = {"trusted_proxies": (ip_network("198.51.100.0/24"),)}
    context = replace(context, settings=context.settings.model_copy(update=proxies))
    traffic.refused(CLIENT, 3)
    traffic.refused("unknown@198.51.100.9", 3)
    assert run(context).rows == 0
    assert decisions(context) == []


def test_a_client_with_a_key_is_judged_like_any_other(context: JobContext, traffic: Any) -> None:
    traffic.refused("key:acme", 3)
    traffic.refused("key:other", 2)
    assert run(context).sentence == "Blocked 1 client."
    assert [row.value for row in decisions(context)] == ["key:acme"]
    assert blocked(context, "key:acme")
    assert not blocked(context, "key:other")
    context = later(context, minutes=61)
    assert not blocked(context, "key:acme")
    traffic.later(minutes=61).refused("key:acme", 3, minutes_ago=0)
    assert run(context).rows == 1
    assert decisions(context)[-1].until == context.now + timedelta(minutes=120)


def test_simulated_blocks_are_not_enforced(context: JobContext, traffic: Any) -> None:
    simulating = context.settings.model_copy(update={"simulate_blocks": True})
    context = replace(context, settings=simulating)
    traffic.refused(CLIENT, 3)
    assert run(context).sentence.startswith("Would block 1 client (simulated")
    assert not blocked(context)
    assert run(context).rows == 0


def test_refusals_outside_of_the_gate_do_not_count(context: JobContext, traffic: Any) -> None:
    traffic.refused(CLIENT, 5, stage=Stage.ADMISSION, reason="overloaded")
    traffic.refused(CLIENT, 5, stage=Stage.PARSED, reason="no_person_found")
    traffic.refused(CLIENT, 5, stage=Stage.FAILED, reason="fault")
    traffic.flagged(CLIENT, 20)
    assert run(context).rows == 0


def test_old_refusals_do_not_count(context: JobContext, traffic: Any) -> None:
    traffic.refused(CLIENT, 5, minutes_ago=61)
    assert run(context).rows == 0


def test_an_allowed_client_is_not_blocked(context: JobContext, traffic: Any) -> None:
    allow = NewDecision(
        Kind.ALLOW,
        Scope.CLIENT,
        CLIENT,
        "manual",
        "analyst",
        "Our own test bench.",
        "ada",
        context.now + timedelta(days=1),
    )
    with context.database.write() as session:
        add_decision(session, allow, context.now)
    traffic.refused(CLIENT, 5)
    assert run(context).rows == 0


def test_a_revoked_block_does_not_come_back_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    traffic.refused(CLIENT, 4)
    run(context)
    context = later(context, minutes=5)
    with context.database.write() as session:
        [block] = active_decisions(session, context.now, Scope.CLIENT, CLIENT, Kind.BLOCK)
        revoke(session, block.id, "ada", "An honest customer.", context.now)
    context = later(context, minutes=1)
    assert run(context).rows == 0
    traffic.later(minutes=6).refused(CLIENT, 3, minutes_ago=0)
    assert run(context).rows == 1
    # A block that somebody revoked does not make the next one longer.
    assert decisions(context)[-1].until == context.now + timedelta(minutes=60)


def test_an_expired_block_does_not_come_back_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    wide = context.settings.model_copy(update={"block_window_minutes": 600})
    context = replace(context, settings=wide)
    traffic.refused(CLIENT, 4)
    run(context)
    context = later(context, minutes=61)
    assert not blocked(context)
    assert run(context).rows == 0
    traffic.later(minutes=61).refused(CLIENT, 3, minutes_ago=0)
    assert run(context).rows == 1
    assert decisions(context)[-1].until == context.now + timedelta(minutes=120)
