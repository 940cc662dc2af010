"""Caps: beyond a share of the clients or of the traffic, jobs propose and people decide."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from jobs.blocking.decide import preview_enforcement, run
from jobs.context import JobContext
from store.decisions.access_list import read_access_list
from store.decisions.decisions import BY_ANALYST, DecisionError
from store.decisions.proposals import accept_proposal, decline_proposal, list_open_proposals
from store.tables.work_tables import DecisionRow

ATTACKERS = tuple(f"ip:198.51.{number}.9" for number in range(6))


def capped(context: JobContext, **changes: float) -> JobContext:
    caps = {"cap_min_clients": 0, "cap_min_requests": 0, **changes}
    return replace(context, settings=context.settings.model_copy(update=caps))


def attack(traffic: Any, client: str, count: int = 4, **more: Any) -> None:
    traffic.flagged(client, count, reason="adversarial_picture", **more)


def ordinary_day(traffic: Any, clients: int = 94, requests: int = 10) -> None:
    names = [f"ip:203.0.{number % 2}.{number}" for number in range(clients)]
    traffic.clean_of_each(names, requests)


def blocked(context: JobContext) -> list[str]:
    with context.database.read() as session:
        access = read_access_list(session, context.now)
    return [client for client in ATTACKERS if access.is_blocked(context.now, [client])]


def test_a_job_blocks_two_in_a_hundred_clients_and_proposes_the_others(
    context: JobContext, traffic: Any
) -> None:
    ordinary_day(traffic)
    for place, client in enumerate(ATTACKERS):
        attack(traffic, client, 4 + place)
    context = capped(context)
    outcome = run(context)
    # The worst come first.
    assert blocked(context) == [*ATTACKERS[4:]]
    assert outcome.sentence == (
        "Blocked 2 clients. Proposed to block 4 clients: a person has to decide."
    )
    with context.database.read() as session:
        proposals = list_open_proposals(session, context.now)
    assert {each.value for each in proposals} == set(ATTACKERS[:4])
    assert proposals[0].limit_reached == (
        "Automatic blocks would hit 3 clients of the 100 of a day; the limit is 2."
    )
    # They wait: nobody proposes them again, and time does not wear the cap out.
    assert run(context).rows == 0


def test_a_job_blocks_no_client_that_sends_more_than_a_share_of_the_traffic(
    context: JobContext, traffic: Any
) -> None:
    ordinary_day(traffic)
    traffic.clean(ATTACKERS[0], 10)
    # Enough attacks that chance cannot explain, beside what it sends all day.
    attack(traffic, ATTACKERS[0], 50)
    context = capped(context)
    assert "Proposed to block 1 client" in run(context).sentence
    with context.database.read() as session:
        [proposal] = list_open_proposals(session, context.now)
    assert "60 of 1000" in proposal.limit_reached


def test_blocks_of_the_day_count_after_they_ended(context: JobContext, traffic: Any) -> None:
    ordinary_day(traffic, 98)
    for client in ATTACKERS[:2]:
        attack(traffic, client)
    context = capped(context)
    assert run(context).sentence == "Blocked 2 clients."
    context = replace(context, now=context.now + timedelta(hours=3))
    attack(traffic.later(hours=3), ATTACKERS[2])
    assert "Proposed to block 1 client" in run(context).sentence


def test_an_accepted_proposal_is_a_block_of_the_person(context: JobContext, traffic: Any) -> None:
    attack(traffic, ATTACKERS[0])
    context = capped(context)
    run(context)
    with context.database.write() as session:
        [proposal] = list_open_proposals(session, context.now)
        accept_proposal(session, proposal.id, "ada", "It attacks.", BY_ANALYST, context.now)
    assert blocked(context) == [ATTACKERS[0]]
    with context.database.read() as session:
        [decision] = session.scalars(select(DecisionRow))
        assert list_open_proposals(session, context.now) == ()
    assert (decision.created_by, decision.origin) == ("ada", "analyst")
    assert decision.evidence["request_ids"] == proposal.evidence["request_ids"]
    assert decision.until - decision.created_at == timedelta(minutes=60)


def test_what_was_declined_is_not_proposed_again_for_the_same_requests(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic, ATTACKERS[0])
    context = capped(context)
    run(context)
    with context.database.write() as session:
        [proposal] = list_open_proposals(session, context.now)
        decline_proposal(session, proposal.id, "ada", "Our test.", "analyst:ada", context.now)
    with (
        pytest.raises(DecisionError, match=f"ada declined proposal {proposal.id} at"),
        context.database.write() as session,
    ):
        accept_proposal(session, proposal.id, "eve", "Do it.", BY_ANALYST, context.now)
    context = replace(context, now=context.now + timedelta(minutes=1))
    assert run(context).rows == 0
    attack(traffic.later(minutes=2), ATTACKERS[0], minutes_ago=0)
    context = replace(context, now=context.now + timedelta(minutes=2))
    assert run(context).rows == 1
    assert blocked(context) == []


def test_a_few_clients_may_be_blocked_however_small_the_day(
    context: JobContext, traffic: Any
) -> None:
    for client in ATTACKERS:
        attack(traffic, client)
    run(context)
    assert len(blocked(context)) == context.settings.blocking.cap_min_clients


def test_simulated_blocks_need_no_cap_and_the_switch_says_what_would_wait(
    context: JobContext, traffic: Any
) -> None:
    attack(traffic, ATTACKERS[0])
    simulating = capped(context, simulate_blocks=True)
    assert run(simulating).sentence.startswith("Would block 1 client (simulated")
    plan = preview_enforcement(simulating)
    assert plan.enforced == ()
    assert [each.block.value for each in plan.proposals] == [ATTACKERS[0]]
