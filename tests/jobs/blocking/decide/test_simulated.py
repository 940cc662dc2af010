"""Simulated blocks, and the switch to enforced ones."""

from datetime import timedelta
from typing import Any

from jobs.blocking.decide import preview_enforcement, run
from jobs.context import JobContext
from store.decisions.decisions import add_decision
from store.decisions.scenarios import enable_scenario
from tests.jobs.blocking.decide.attacks import CLIENT, attack, blocked, decisions, later, simulating
from tests.makers import make_decision


def test_simulated_blocks_are_not_enforced(context: JobContext, traffic: Any) -> None:
    context = simulating(context)
    attack(traffic)
    assert run(context).sentence == (
        "Would block 1 client (simulated: `maskwatch decisions enable crafted_pictures` to "
        "enforce)."
    )
    assert not blocked(context)
    assert run(context).rows == 0


def test_enforcement_judges_anew_what_only_had_simulated_blocks(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(simulating(context))
    for _ in range(6):
        context, traffic = later(context, minutes=59), traffic.later(minutes=59)
        attack(traffic, minutes_ago=0)
        run(simulating(context))
    # Hours after its last attack, in a simulated block of many hours.
    context = later(context, hours=2)
    assert not blocked(context)
    assert run(context).sentence == "Blocked 1 client."
    assert blocked(context)
    assert decisions(context)[-1].until == context.now + timedelta(minutes=60)
    assert run(context).rows == 0


def enable(context: JobContext, scenario: str) -> None:
    with context.database.write() as session:
        enable_scenario(session, scenario, "ada", "Seen it.", "analyst:ada", context.now)


def test_evidence_of_a_simulated_scenario_shields_nobody_from_one_that_is_on(
    context: JobContext, traffic: Any
) -> None:
    context = simulating(context)
    attack(traffic, 6)
    traffic.refused(CLIENT, 4, reason="polyglot")
    [hit] = preview_enforcement(context, "hostile_files").blocks
    assert (hit.value, hit.scenario) == (CLIENT, "hostile_files")
    enable(context, "hostile_files")
    run(context)
    assert blocked(context)
    [block] = decisions(context)
    assert block.scenario == "hostile_files"
    assert block.reason == "4 hostile files in 60 minutes, 10 uploads in all."
    # What happens anyway is no effect of turning on another one.
    assert preview_enforcement(context, "crafted_pictures").blocks == ()


def test_evidence_of_a_simulated_scenario_alone_keeps_nobody_out(
    context: JobContext, traffic: Any
) -> None:
    context = simulating(context)
    traffic.refused(CLIENT, 2, reason="polyglot")
    traffic.flagged(CLIENT, 1, reason="trigger_suspected")
    traffic.flagged(CLIENT, 2, reason="probing_sequence")
    enable(context, "hostile_files")
    run(context)
    assert not blocked(context)
    [block] = decisions(context)
    assert block.simulated
    # It takes evidence of a scenario that nobody turned on: the block is told under its name.
    assert block.scenario == "probing_search"
    enable(context, "probing_search")
    run(context)
    assert blocked(context)


def test_enforcement_leaves_alone_whom_the_policy_would_not_block_today(
    context: JobContext, traffic: Any
) -> None:
    traffic.refused(CLIENT, 9, reason="unsupported_type")
    old = make_decision(value=CLIENT, simulated=True, until=context.now + timedelta(days=5))
    with context.database.write() as session:
        add_decision(session, old, context.now)
    assert run(context).rows == 0


def test_the_switch_says_whom_it_will_hit_and_hits_nobody(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(simulating(context))
    attack(traffic, client="ip:198.51.100.77")
    [first, second] = preview_enforcement(simulating(context)).blocks
    assert {first.value, second.value} == {CLIENT, "ip:198.51.100.77"}
    assert not first.simulated
    assert not blocked(context)
    assert len(decisions(context)) == 1
    assert run(context).rows == 2
