"""A decision that was taken back, ran out or allows: the same requests block nobody again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from jobs.blocking.decide import run
from jobs.context import JobContext
from store.decisions.decisions import NewDecision, active_decisions, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from tests.jobs.blocking.decide.attacks import CLIENT, attack, blocked, decisions, later, simulating


def test_a_revoked_simulated_block_is_not_enforced_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(simulating(context))
    with context.database.write() as session:
        [block] = active_decisions(session, context.now, Scope.CLIENT, CLIENT, Kind.BLOCK)
        revoke(session, block.id, "ada", "Our own test.", context.now)
    assert run(later(context, minutes=1)).rows == 0


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
    attack(traffic)
    assert run(context).rows == 0


def test_a_revoked_block_does_not_come_back_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(context)
    context = later(context, minutes=5)
    with context.database.write() as session:
        [block] = active_decisions(session, context.now, Scope.CLIENT, CLIENT, Kind.BLOCK)
        revoke(session, block.id, "ada", "An honest customer.", context.now)
    context = later(context, minutes=1)
    assert run(context).rows == 0
    attack(traffic.later(minutes=6), minutes_ago=0)
    assert run(context).rows == 1
    # A block that somebody revoked does not make the next one longer.
    assert decisions(context)[-1].until == context.now + timedelta(minutes=60)


def test_an_expired_block_does_not_come_back_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    wide = context.settings.model_copy(update={"block_window_minutes": 600})
    context = replace(context, settings=wide)
    attack(traffic)
    run(context)
    context = later(context, minutes=61)
    assert not blocked(context)
    assert run(context).rows == 0
    attack(traffic.later(minutes=61), minutes_ago=0)
    assert run(context).rows == 1
    assert decisions(context)[-1].until == context.now + timedelta(minutes=120)
