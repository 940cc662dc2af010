"""Alerts about proposals, and about scenarios that were simulated long enough."""

from dataclasses import replace
from datetime import timedelta

from jobs.alerting.alerts import run
from jobs.context import JobContext
from store.alerts.alerts import open_alerts
from store.decisions.decisions import BY_ANALYST, add_decision
from store.decisions.proposals import accept_proposal, list_open_proposals, propose
from store.decisions.scenarios import enable_scenario
from tests.makers import make_decision


def summaries(context: JobContext, rule: str) -> list[str]:
    run(context)
    with context.database.read() as session:
        return [alert.summary for alert in open_alerts(session, rule)]


def test_a_proposal_alerts_until_it_is_answered(context: JobContext) -> None:
    assert summaries(context, "blocks_proposed") == []
    with context.database.write() as session:
        propose(session, make_decision(), "The limit is 2.", context.now)
    assert summaries(context, "blocks_proposed") == ["1 block waits for a person. The limit is 2."]
    with context.database.write() as session:
        [proposal] = list_open_proposals(session, context.now)
        accept_proposal(session, proposal.id, "ada", "Yes.", BY_ANALYST, context.now)
    assert summaries(context, "blocks_proposed") == []


def test_a_proposal_that_nobody_answers_stops_alerting(context: JobContext) -> None:
    with context.database.write() as session:
        propose(session, make_decision(), "The limit is 2.", context.now)
    later = replace(context, now=context.now + timedelta(hours=24))
    assert summaries(later, "blocks_proposed") == []


def test_after_a_week_a_simulated_scenario_says_whom_it_would_have_blocked(
    context: JobContext,
) -> None:
    settings = context.settings.model_copy(update={"simulate_blocks": True})
    context = replace(context, settings=settings)
    until = context.now + timedelta(days=9)
    block = make_decision(simulated=True, scenario="crafted_pictures", until=until)
    with context.database.write() as session:
        add_decision(session, block, context.now)
        second = replace(block, value="ip:203.0.113.8")
        add_decision(session, second, context.now + timedelta(hours=1))
    assert summaries(context, "scenario_simulated") == []
    context = replace(context, now=context.now + timedelta(days=7))
    assert summaries(context, "scenario_simulated") == [
        "In 7 days the scenario crafted_pictures would have made 1 block: ip:203.0.113.8. "
        "It is simulated until somebody turns it on."
    ]
    with context.database.write() as session:
        enable_scenario(session, "crafted_pictures", "ada", "Seen it.", "analyst:ada", context.now)
    assert summaries(context, "scenario_simulated") == []
