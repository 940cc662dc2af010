"""Decide: apply the block policy to each client that no decision covers now."""

from dataclasses import replace

from jobs.blocking.plan import Plan, plan_decisions, read_job_switches
from jobs.blocking.policy import phrase_blocks
from jobs.context import JobContext, JobOutcome
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.proposals import propose
from store.decisions.scopes import Scope
from store.engine.locks import take_turn
from store.phrases import phrase_count

_NOUNS = {
    Scope.CLIENT: "client",
    Scope.API_KEY: "client",
    Scope.NETWORK: "network",
    Scope.CONTENT: "picture",
}


def run(context: JobContext) -> JobOutcome:
    """The job ``decide``: all that a run decides is committed at once."""
    with context.database.write() as session:
        take_turn(session, "decide")
        plan = plan_decisions(session, context, read_job_switches(session, context))
        for block in plan.blocks:
            add_decision(session, block, context.now)
        for proposal in plan.proposals:
            propose(session, proposal.block, proposal.limit_reached, context.now)
    return JobOutcome(_sentence(plan), len(plan.blocks) + len(plan.proposals))


def preview_enforcement(context: JobContext, *scenarios: str) -> Plan:
    """What the next ``decide`` would decide if scenarios were enforced; nothing is decided.

    Args:
        scenarios: those that somebody is about to turn on: what the next ``decide`` would do
            without them as well is left out. None for all that the setting enforces.
    """
    with context.database.read() as session:
        switches = read_job_switches(session, context)
        if not scenarios:
            return plan_decisions(session, context, replace(switches, simulates_all=False))
        before = plan_decisions(session, context, switches)
        more = replace(switches, enabled=switches.enabled | set(scenarios))
        return plan_decisions(session, context, more).beyond(before)


def _sentence(plan: Plan) -> str:
    parts = []
    for simulated in (False, True):
        blocks = [each for each in plan.blocks if each.simulated is simulated]
        if blocks:
            scenarios = {each.scenario for each in blocks if simulated}
            parts.append(phrase_blocks(_count(blocks), scenarios))
    if plan.proposals:
        blocks = [each.block for each in plan.proposals]
        parts.append(f"Proposed to block {_count(blocks)}: a person has to decide.")
    return " ".join(parts) or "No client has to be blocked."


def _count(blocks: list[NewDecision]) -> str:
    numbers: dict[str, int] = {}
    for each in blocks:
        noun = _NOUNS[each.scope]
        numbers[noun] = numbers.get(noun, 0) + 1
    return " and ".join(phrase_count(number, noun) for noun, number in numbers.items())
