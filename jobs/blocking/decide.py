"""Decide: apply the block policy to each client that no decision covers now."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detectors.evidence_kinds import EvidenceKind
from jobs.blocking.policy import BlockPolicy, decide, phrase_blocks
from jobs.context import JobContext, JobOutcome
from jobs.settings import JobSettings
from store.decisions.client_evidence import find_suspects, judge_client, read_chances
from store.decisions.decisions import (
    Kind,
    NewDecision,
    Scope,
    active_decisions,
    add_decision,
    earlier_blocks,
    last_change,
    simulated_blocks,
)
from store.decisions.protected import is_protected
from store.engine.locks import take_turn
from store.phrases import phrase_count
from store.tables.work_tables import DecisionRow


def run(context: JobContext) -> JobOutcome:
    """The job ``decide``."""
    policy = block_policy(context.settings)
    with context.database.write() as session:
        take_turn(session, "decide")
        new = new_blocks(session, context, policy)
        for decision in new:
            add_decision(session, decision, context.now)
    return JobOutcome(_sentence(len(new), policy.simulated), len(new))


def preview_enforcement(context: JobContext) -> list[NewDecision]:
    """The blocks that the next ``decide`` would make if blocks were enforced; none is made."""
    policy = replace(block_policy(context.settings), simulated=False)
    with context.database.read() as session:
        return new_blocks(session, context, policy)


def block_policy(settings: JobSettings) -> BlockPolicy:
    """The policy of these settings."""
    return BlockPolicy(
        block_after=settings.blocking.block_after,
        window_minutes=settings.blocking.block_window_minutes,
        block_minutes=settings.blocking.block_minutes,
        simulated=settings.blocking.simulate_blocks,
    )


def new_blocks(session: Session, context: JobContext, policy: BlockPolicy) -> list[NewDecision]:
    """What a policy decides now about clients that no decision covers."""
    now, chances = context.now, read_chances(session, context.settings.outliers.outlier_p_value)
    # A simulated block has kept nobody out: whoever has one is judged anew to be blocked.
    simulated = {} if policy.simulated else simulated_blocks(session, now)
    since = now - timedelta(minutes=policy.window_minutes)
    suspects = find_suspects(session, since, policy.block_after, chances)
    names = dict.fromkeys([*simulated, *(each.evidence.client for each in suspects)])
    trusted = context.settings.proxies.trusted_proxies
    clients = [client for client in names if not is_protected(client, trusted)]
    made = (_decision_on(session, c, simulated.get(c), chances, now, policy) for c in clients)
    return [decision for decision in made if decision is not None]


def _decision_on(
    session: Session,
    client: str,
    simulated: DecisionRow | None,
    chances: Mapping[EvidenceKind, float],
    now: datetime,
    policy: BlockPolicy,
) -> NewDecision | None:
    """Judge a client by what it did since the last decision that counts, at most one window back.

    The window of a client with a simulated block ends at that block: what led to it counts again.
    """
    if _is_covered(session, client, now, policy):
        return None
    begins = now if simulated is None else simulated.created_at
    since = begins - timedelta(minutes=policy.window_minutes)
    changed = last_change(session, client, simulated_too=policy.simulated)
    suspect = judge_client(session, client, max(since, changed or since), chances)
    repeats = earlier_blocks(session, client, simulated_too=policy.simulated)
    return decide(suspect, repeats, now, policy)


def _is_covered(session: Session, client: str, now: datetime, policy: BlockPolicy) -> bool:
    active: Iterable[DecisionRow] = (
        decision
        for kind in Kind
        for decision in active_decisions(session, now, Scope.CLIENT, client, kind)
    )
    return any(policy.simulated or not decision.simulated for decision in active)


def _sentence(blocks: int, simulated: bool) -> str:
    if not blocks:
        return "No client has to be blocked."
    return phrase_blocks(phrase_count(blocks, "client"), simulated)
