"""The job ``group_families``: ten things to look at instead of a thousand rows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from detectors.families.members import Tie
from detectors.findings import Finding
from detectors.rule_book import BLOCKED_PATCH
from detectors.verdict import Verdict
from jobs.blocking.plan import plan_decisions
from jobs.context import JobContext
from jobs.outliers import group_families
from store.decisions.scenarios import Switches
from store.families.families import FamiliesTaken, keep_families, read_looked
from store.requests.record_store import add_records
from store.tables.family_tables import FamilyMemberRow, FamilyRow
from tests.jobs.conftest import Traffic
from tests.jobs.nursery import Nursery
from tests.makers import make_record

ATTACKER, OTHER = "ip:203.0.113.7", "ip:198.51.100.9"
CRAFTED = "adversarial_picture"
DAY = timedelta(days=1)


def _families(context: JobContext) -> list[FamilyRow]:
    with context.database.read() as session:
        return list(session.scalars(select(FamilyRow).order_by(FamilyRow.id)))


def _members(context: JobContext, family: int | None) -> int:
    count = select(func.count()).where(FamilyMemberRow.family_id.is_not_distinct_from(family))
    with context.database.read() as session:
        return session.scalar(count) or 0


def test_what_one_client_sent_becomes_a_family(context: JobContext, traffic: Traffic) -> None:
    traffic.clean("ip:192.0.2.1", 20)
    traffic.flagged(ATTACKER, 4, reason=CRAFTED)
    outcome = group_families.run(context)
    assert outcome.sentence.startswith("Looked at 4 unusual requests. Families: 1 formed, 0 grown")
    [family] = _families(context)
    assert (family.requests, family.clients, family.kinds) == (4, 1, {"crafted": 4})
    assert family.shared == [{"tie": Tie.CLIENT, "value": ATTACKER, "requests": 4}]
    assert _members(context, family.id) == 4


def test_a_second_run_finds_nothing_new(context: JobContext, traffic: Traffic) -> None:
    traffic.flagged(ATTACKER, 4, reason=CRAFTED)
    group_families.run(context)
    assert group_families.run(context).sentence == "No unusual request is new."


def test_a_family_keeps_its_number_and_grows(context: JobContext, traffic: Traffic) -> None:
    traffic.flagged(ATTACKER, 3, reason=CRAFTED)
    group_families.run(context)
    traffic.later(hours=2).flagged(ATTACKER, 2, reason=CRAFTED)
    later = replace(context, now=context.now + timedelta(hours=2))
    assert "0 formed, 1 grown" in group_families.run(later).sentence
    [family] = _families(context)
    assert family.requests == _members(context, family.id) == 5
    assert family.last_at > family.first_at + timedelta(hours=1)


def test_a_lone_request_waits_for_company(context: JobContext, traffic: Traffic) -> None:
    traffic.flagged(ATTACKER, 1, reason=CRAFTED)
    group_families.run(context)
    assert (_families(context), _members(context, None)) == ([], 1)
    traffic.flagged(ATTACKER, 1, reason=CRAFTED)
    group_families.run(context)
    [family] = _families(context)
    assert (family.requests, _members(context, None)) == (2, 0)


def test_a_shared_picture_merges_families_into_the_older(
    context: JobContext, traffic: Traffic
) -> None:
    same = "ab" * 32
    for client in (ATTACKER, OTHER):
        traffic.flagged(client, 2, reason=CRAFTED)
        group_families.run(context)
    older, younger = _families(context)
    for client in (ATTACKER, OTHER):
        traffic.flagged(client, 1, reason=CRAFTED, content_sha256=same)
    group_families.run(context)
    kept, merged = _families(context)
    assert (kept.id, kept.requests, kept.clients) == (older.id, 6, 2)
    assert (merged.id, merged.merged_into, merged.merged_at) == (younger.id, older.id, context.now)
    assert (_members(context, kept.id), _members(context, merged.id)) == (6, 0)


def test_mistakes_and_ordinary_requests_are_in_no_family(
    context: JobContext, traffic: Traffic
) -> None:
    traffic.clean(OTHER, 5)
    traffic.refused(ATTACKER, 5, reason="unsupported_type")
    traffic.flagged(ATTACKER, 5, reason="no_person_found")
    assert group_families.run(context).sentence == "No unusual request is new."


def test_an_address_of_200_users_and_one_attacker_is_no_family(
    context: JobContext, traffic: Traffic
) -> None:
    traffic.clean(ATTACKER, 200, minutes_ago=5)
    traffic.flagged(ATTACKER, 5, reason=CRAFTED)
    traffic.flagged(ATTACKER, 4, reason=CRAFTED, content_sha256="cd" * 32)
    group_families.run(context)
    [family] = _families(context)
    assert [thing["tie"] for thing in family.shared] == [Tie.PICTURE]
    assert family.requests == 4


def test_a_network_of_which_most_attack_is_a_family(context: JobContext, traffic: Traffic) -> None:
    for number in range(4):
        traffic.flagged(f"ip:203.0.113.{number}", 1, reason=CRAFTED)
    traffic.clean("ip:203.0.113.77", 3)
    group_families.run(context)
    [family] = _families(context)
    assert family.shared == [{"tie": Tie.NETWORK, "value": "203.0.113.0/24", "requests": 4}]


def test_a_listed_patch_ties_whoever_shows_it(context: JobContext) -> None:
    records = [
        make_record(
            client=f"ip:198.51.{n}.7",
            received_at=context.now,
            verdict=Verdict.FLAG,
            reasons=(BLOCKED_PATCH.code,),
            findings=(Finding(BLOCKED_PATCH, {"decision": 5.0}),),
        )
        for n in range(3)
    ]
    with context.database.write() as session:
        add_records(session, records)
    group_families.run(context)
    [family] = _families(context)
    assert family.shared == [{"tie": Tie.PATCH, "value": "5", "requests": 3}]


def test_what_is_older_than_the_span_is_left_alone(context: JobContext, traffic: Traffic) -> None:
    traffic.flagged(ATTACKER, 3, reason=CRAFTED, minutes_ago=8 * 24 * 60)
    assert group_families.run(context).sentence == "No unusual request is new."


def test_two_runs_at_once_do_not_both_write(context: JobContext, traffic: Traffic) -> None:
    traffic.flagged(ATTACKER, 3, reason=CRAFTED)
    since = context.now - group_families.SPAN
    with context.database.read() as session:
        before = read_looked(session, since)
    group_families.run(context)
    with (
        context.database.write() as session,
        pytest.raises(FamiliesTaken, match="at the same time"),
    ):
        keep_families(session, [], [], before, since, context.now)


def test_blocks_and_proposals_name_the_family_that_led_to_them(
    context: JobContext, traffic: Traffic
) -> None:
    capped = context.settings.model_copy(update={"cap_min_requests": 0})
    traffic.flagged(ATTACKER, 4, reason=CRAFTED)
    group_families.run(context)
    with context.database.read() as session:
        plans = [
            plan_decisions(session, replace(context, settings=each), Switches(False, frozenset()))
            for each in (context.settings, capped)
        ]
    assert [block.family for block in plans[0].blocks] == ["1"]
    assert [each.block.family for each in plans[1].proposals] == ["1"]


def test_a_run_that_is_killed_leaves_nothing_half_written(
    context: JobContext, traffic: Traffic, nursery: Nursery
) -> None:
    traffic.flagged(ATTACKER, 3, reason=CRAFTED)
    nursery.kill_at("store.families.families:_count_clients", "group", context)
    assert (_families(context), _members(context, None)) == ([], 0)
    group_families.run(context)
    assert [family.requests for family in _families(context)] == [3]
