"""Decide: apply the block policy to each client that no decision covers now."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detectors.outliers.model import outlier_cutoff
from jobs.blocking.policy import BlockPolicy, decide, phrase_blocks
from jobs.context import JobContext, JobOutcome, phrase_count
from jobs.settings import JobSettings
from store.decisions.decisions import (
    Kind,
    NewDecision,
    Scope,
    active_decisions,
    add_decision,
    earlier_blocks,
    last_change,
)
from store.decisions.protected import is_protected
from store.engine.locks import take_turn
from store.models.outlier_models import champion
from store.requests.record_store import client_activity


def run(context: JobContext) -> JobOutcome:
    """The job ``decide``."""
    with context.database.write() as session:
        take_turn(session, "decide")
        policy = block_policy(context.settings, _model_rows(session))
        new = [
            decision
            for client in _suspects(session, context.now, policy)
            if not is_protected(client, context.settings.proxies.trusted_proxies)
            and (decision := _decision_on(session, client, context.now, policy)) is not None
        ]
        for decision in new:
            add_decision(session, decision, context.now)
    return JobOutcome(_sentence(len(new), policy.simulated), len(new))


def block_policy(settings: JobSettings, model_rows: int | None) -> BlockPolicy:
    """The policy of these settings for a champion of so many training rows."""
    share = settings.outliers.outlier_p_value
    return BlockPolicy(
        block_after=settings.blocking.block_after,
        window_minutes=settings.blocking.block_window_minutes,
        block_minutes=settings.blocking.block_minutes,
        outlier_share=share if model_rows is None else outlier_cutoff(share, model_rows),
        simulated=settings.blocking.simulate_blocks,
    )


def _sentence(blocks: int, simulated: bool) -> str:
    if not blocks:
        return "No client has to be blocked."
    return phrase_blocks(phrase_count(blocks, "client"), simulated)


def _model_rows(session: Session) -> int | None:
    row = champion(session)
    return None if row is None else row.rows


def _suspects(session: Session, now: datetime, policy: BlockPolicy) -> list[str]:
    since = now - timedelta(minutes=policy.window_minutes)
    return [
        activity.client
        for activity in client_activity(session, since)
        if activity.outliers + activity.refusals >= policy.block_after
    ]


def _decision_on(
    session: Session, client: str, now: datetime, policy: BlockPolicy
) -> NewDecision | None:
    """Judge a client by what it did since the last decision on it, at most one window back."""
    if any(active_decisions(session, now, Scope.CLIENT, client, kind) for kind in Kind):
        return None
    since = now - timedelta(minutes=policy.window_minutes)
    changed_at = last_change(session, client)
    activities = client_activity(session, max(since, changed_at or since), client)
    repeats = earlier_blocks(session, client)
    return decide(activities[0], repeats, now, policy) if activities else None
