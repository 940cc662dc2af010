"""Judges clients that no decision covers: a block of each, or of its pictures, or nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session

from jobs.blocking.policy import (
    BlockPolicy,
    block_minutes,
    decide,
    is_shared,
    reason_of_picture,
    restrict,
)
from jobs.context import JobContext
from store.decisions.client_decisions import (
    decisions_on_client,
    earlier_blocks,
    last_change,
    simulated_blocks,
)
from store.decisions.client_evidence import Suspect, find_suspects, judge_client, read_chances
from store.decisions.decisions import Kind, NewDecision, Scope, was_decided
from store.decisions.proposals import last_declined
from store.decisions.protected import is_protected
from store.requests.pictures_of_requests import pictures_of
from store.tables.work_tables import DecisionRow

_MINUTE = timedelta(minutes=1)


def judge_clients(
    session: Session, context: JobContext, policy: BlockPolicy
) -> Iterator[NewDecision]:
    """What a policy decides now, the worst client first."""
    now, chances = context.now, read_chances(session, context.settings.outliers.outlier_p_value)
    # A simulated block has kept nobody out: whoever has one is judged anew to be blocked.
    simulated = {} if policy.simulated else simulated_blocks(session, now)
    since = now - timedelta(minutes=policy.window_minutes)
    suspects = find_suspects(session, since, policy.block_after, chances)
    names = dict.fromkeys([*(each.evidence.client for each in suspects), *simulated])
    trusted = context.settings.proxies.trusted_proxies
    for client in names:
        if not is_protected(client, trusted) and not _is_covered(session, client, now, policy):
            since = _begin(session, client, simulated.get(client), now, policy)
            suspect = judge_client(session, client, since, chances)
            minutes = max(policy.window_minutes, ceil((now - since) / _MINUTE))
            yield from _decide(session, suspect, now, replace(policy, window_minutes=minutes))


def _begin(
    session: Session,
    client: str,
    simulated: DecisionRow | None,
    now: datetime,
    policy: BlockPolicy,
) -> datetime:
    """Since when a client is judged: the last decision that counts, at most one window back.

    The window of a client with a simulated block ends at that block: what led to it counts again.
    """
    begins = now if simulated is None else simulated.created_at
    moments = (
        begins - timedelta(minutes=policy.window_minutes),
        last_change(session, client, simulated_too=policy.simulated),
        last_declined(session, client),
    )
    return max(moment for moment in moments if moment is not None)


def _decide(
    session: Session, suspect: Suspect, now: datetime, policy: BlockPolicy
) -> Iterable[NewDecision]:
    client = suspect.evidence.client
    repeats = earlier_blocks(session, client, simulated_too=policy.simulated)
    block = decide(suspect, repeats, now, policy)
    if block is None:
        return ()
    return _block_pictures(session, suspect, block, now, policy) if is_shared(suspect) else (block,)


def _block_pictures(
    session: Session, suspect: Suspect, block: NewDecision, now: datetime, policy: BlockPolicy
) -> Iterator[NewDecision]:
    """The pictures that weigh against an address, in its place: many others send from there."""
    pictures = pictures_of(session, suspect.evidence.request_ids)
    for digest, request_ids in pictures.items():
        if was_decided(session, now, Scope.CONTENT, digest, simulated_too=policy.simulated):
            continue
        scopes = (Scope.CONTENT,)
        repeats = earlier_blocks(session, digest, simulated_too=policy.simulated, scopes=scopes)
        minutes = block_minutes(policy.block_minutes, repeats)
        yield replace(
            block,
            scope=Scope.CONTENT,
            value=digest,
            reason=reason_of_picture(restrict(suspect, policy), policy.window_minutes),
            until=now + timedelta(minutes=minutes),
            evidence={
                **block.evidence,
                "client": suspect.evidence.client,
                "earlier_blocks": repeats,
                "request_ids": list(request_ids),
            },
        )


def _is_covered(session: Session, client: str, now: datetime, policy: BlockPolicy) -> bool:
    active = (
        decision for kind in Kind for decision in decisions_on_client(session, now, client, kind)
    )
    return any(policy.simulated or not decision.simulated for decision in active)
