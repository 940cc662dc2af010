"""What blocks a client, and what never does."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from detectors.evidence.kinds import EvidenceKind, codes_of
from jobs.blocking.decide import run
from jobs.context import JobContext
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import run as scan
from store.counts.turned_away import add_turned_away
from store.requests.records import Stage
from tests.jobs.blocking.decide.attacks import CLIENT, attack, blocked, decisions, later, simulating


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


def test_old_attacks_do_not_count(context: JobContext, traffic: Any) -> None:
    attack(traffic, minutes_ago=61)
    assert run(context).rows == 0
