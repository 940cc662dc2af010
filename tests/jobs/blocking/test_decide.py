from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from sqlalchemy import select

from detectors.evidence_kinds import EvidenceKind, codes_of
from jobs.blocking.decide import preview_enforcement, run
from jobs.context import JobContext
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import run as scan
from store.counts.turned_away import add_turned_away
from store.decisions.access_list import read_access_list
from store.decisions.decisions import (
    Kind,
    NewDecision,
    Scope,
    active_decisions,
    add_decision,
    revoke,
)
from store.decisions.scenarios import enable_scenario
from store.requests.records import Stage
from store.tables.work_tables import DecisionRow
from tests.makers import make_decision

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


def simulating(context: JobContext) -> JobContext:
    settings = context.settings.model_copy(update={"simulate_blocks": True})
    return replace(context, settings=settings)


def attack(traffic: Any, count: int = 4, client: str = CLIENT, **more: Any) -> list[Any]:
    """Crafted pictures of one client."""
    return list(traffic.flagged(client, count, reason="adversarial_picture", **more))


def test_crafted_pictures_block_a_client(context: JobContext, traffic: Any) -> None:
    crafted = attack(traffic)
    attack(traffic, 2, "ip:203.0.113.1")
    assert run(context).sentence == "Blocked 1 client."
    [decision] = decisions(context)
    assert blocked(context)
    assert decision.reason == "4 crafted pictures in 60 minutes, 4 uploads in all."
    assert decision.scenario == "crafted_pictures"
    assert decision.evidence["request_ids"] == [r.request_id for r in reversed(crafted)]
    assert run(context).rows == 0


@pytest.mark.parametrize(
    ("reason", "stage", "scenario"),
    [
        ("probing_sequence", Stage.PARSED, "probing_search"),
        ("trigger_suspected", Stage.PARSED, "trigger_pictures"),
        ("blocked_patch", Stage.PARSED, "listed_patches"),
        ("blocked_perturbation", Stage.PARSED, "listed_perturbations"),
        ("polyglot", Stage.GATE, "hostile_files"),
        ("decoder_crashed", Stage.GATE, "hostile_files"),
    ],
)
def test_every_kind_of_attack_blocks(
    context: JobContext, traffic: Any, reason: str, stage: Stage, scenario: str
) -> None:
    traffic.refused(CLIENT, 6, stage=stage, reason=reason)
    assert run(context).rows == 1
    assert decisions(context)[0].scenario == scenario


def test_empty_screenshots_of_a_large_screen_never_block_however_many(
    context: JobContext, traffic: Any
) -> None:
    traffic.refused(CLIENT, 8, stage=Stage.GATE, reason="expands_too_much")
    assert run(context).rows == 0
    # Who sends damaged files too tries the gate: there it counts once, as each mistake does.
    traffic.refused(CLIENT, 5, stage=Stage.GATE, reason="unreadable")
    assert run(context).rows == 1
    assert "6 damaged or wrong files" in decisions(context)[0].reason


@pytest.mark.parametrize(
    "code",
    codes_of(EvidenceKind.MISTAKE, EvidenceKind.ODD, EvidenceKind.SERVICE, EvidenceKind.NO_ENTRY),
)
def test_honest_mistakes_and_our_own_faults_never_block(
    context: JobContext, traffic: Any, code: str
) -> None:
    traffic.refused(CLIENT, 40, reason=code)
    assert run(context).rows == 0


def test_trusted_proxies_and_whom_they_did_not_name_are_never_blocked(
    context: JobContext, traffic: Any
) -> None:
    trusting = context.settings.model_copy(update={"trusted_proxies": (ip_network("10.0.0.0/8"),)})
    context = replace(context, settings=trusting)
    for client in ("ip:10.0.0.7", "unknown@10.0.0.7", "ip:192.0.2.7"):
        attack(traffic, client=client)
    assert run(context).rows == 1
    assert [row.value for row in decisions(context)] == ["ip:192.0.2.7"]


def test_the_same_bytes_again_and_again_count_once(context: JobContext, traffic: Any) -> None:
    attack(traffic, 40, content_sha256="a" * 64)
    assert run(context).rows == 0


def test_few_outliers_that_a_first_model_finds_do_not_block(
    context: JobContext, traffic: Any, few_trees: None
) -> None:
    for number in range(8):
        traffic.clean(f"ip:203.0.113.{number}", 5)
    retrain(context)
    traffic.wild(CLIENT, 3)
    scan(context)
    assert run(context).rows == 0
    traffic.wild(CLIENT, 32)
    scan(context)
    assert run(context).rows == 1
    assert decisions(context)[0].scenario == "repeated_outliers"


def test_a_flood_that_is_only_counted_blocks(context: JobContext, traffic: Any) -> None:
    traffic.refused(CLIENT, 2, stage=Stage.ADMISSION, reason="rate_limited")
    minute = int(context.now.timestamp()) - 300
    counts = {(EvidenceKind.FLOOD, CLIENT, minute - minute % 60): 250}
    overloaded = {(EvidenceKind.SERVICE, "ip:203.0.113.8", minute - minute % 60): 2500}
    with context.database.write() as session:
        add_turned_away(session, counts | overloaded)
    assert run(context).rows == 1
    [decision] = decisions(context)
    assert (decision.value, decision.scenario) == (CLIENT, "flood")
    assert decision.reason == "252 requests too many in 60 minutes, 0 uploads in all."


def test_a_client_with_a_key_is_judged_like_any_other(context: JobContext, traffic: Any) -> None:
    attack(traffic, client="key:acme")
    attack(traffic, 2, "key:other")
    assert run(context).sentence == "Blocked 1 client."
    assert [row.value for row in decisions(context)] == ["key:acme"]
    assert blocked(context, "key:acme")
    assert not blocked(context, "key:other")
    context = later(context, minutes=61)
    assert not blocked(context, "key:acme")
    attack(traffic.later(minutes=61), client="key:acme", minutes_ago=0)
    assert run(context).rows == 1
    assert decisions(context)[-1].until == context.now + timedelta(minutes=120)


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


def test_a_block_says_over_what_time_its_evidence_was_counted(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(simulating(context))
    context = later(context, minutes=50)
    attack(traffic.later(minutes=50), minutes_ago=0)
    run(context)
    reason = decisions(context)[-1].reason
    assert reason == "8 crafted pictures in 110 minutes, 8 uploads in all."


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


def test_a_revoked_simulated_block_is_not_enforced_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic)
    run(simulating(context))
    with context.database.write() as session:
        [block] = active_decisions(session, context.now, Scope.CLIENT, CLIENT, Kind.BLOCK)
        revoke(session, block.id, "ada", "Our own test.", context.now)
    assert run(later(context, minutes=1)).rows == 0


def test_old_attacks_do_not_count(context: JobContext, traffic: Any) -> None:
    attack(traffic, minutes_ago=61)
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
