"""Judges clients that no decision covers: a block of each, or of its pictures, or nothing. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from jobs.blocking.policy import (
    BlockPolicy,
    block_minutes,
    block_policy,
    decide,
    reason_of_picture,
    restrict,
)
from jobs.settings import BlockingGroup
from store.configuration.network_groups import Network
from store.decisions.clients.client_evidence import Suspect
from store.decisions.clients.client_history import ClientHistory
from store.decisions.clients.spared import is_shared
from store.decisions.decisions import NewDecision
from store.decisions.protected import is_protected
from store.decisions.scenarios import Switches
from store.decisions.scopes import Scope

_MINUTE = timedelta(minutes=1)


def judge_by_switches(
    history: ClientHistory, settings: BlockingGroup, switches: Switches, trusted: Sequence[Network]
) -> list[NewDecision]:
    """Blocks of clients and of their pictures, each simulated or not as its scenario is.

    Args:
        trusted: proxies, which are never blocked.
    """
    decisions: list[NewDecision] = []
    for simulated in (False, True):
        is_needed = switches.simulates_any if simulated else switches.enforces_any
        if is_needed:
            policy = block_policy(settings, switches, simulated=simulated)
            values = {each.value for each in decisions}
            judged = judge_clients(history, policy, trusted)
            decisions += [each for each in judged if each.value not in values]
    return decisions


def judge_clients(
    history: ClientHistory, policy: BlockPolicy, trusted: Sequence[Network]
) -> Iterator[NewDecision]:
    """What a policy decides now, the worst client first."""
    # A simulated block has kept nobody out: whoever has one is judged anew to be blocked.
    simulated = {} if policy.simulated else history.list_simulated()
    since = history.now - timedelta(minutes=policy.window_minutes)
    suspects = history.find_suspects(since, policy.block_after)
    names = dict.fromkeys([*(each.evidence.client for each in suspects), *simulated])
    for client in names:
        is_covered = history.is_covered(client, simulated_too=policy.simulated)
        if not (is_protected(client, trusted) or is_covered):
            begin = _begin(history, client, simulated.get(client), policy)
            suspect = history.judge(client, begin)
            minutes = max(policy.window_minutes, ceil((history.now - begin) / _MINUTE))
            yield from _decide(history, suspect, replace(policy, window_minutes=minutes))


def _begin(
    history: ClientHistory, client: str, simulated_at: datetime | None, policy: BlockPolicy
) -> datetime:
    """Since when a client is judged: the last decision that counts, at most one window back.

    The window of a client with a simulated block ends at that block: what led to it counts again.
    """
    begins = history.now if simulated_at is None else simulated_at
    moments = (
        begins - timedelta(minutes=policy.window_minutes),
        history.last_change(client, simulated_too=policy.simulated),
        history.last_declined(client),
    )
    return max(moment for moment in moments if moment is not None)


def _decide(history: ClientHistory, suspect: Suspect, policy: BlockPolicy) -> Iterable[NewDecision]:
    client = suspect.evidence.client
    repeats = history.earlier_blocks(client, simulated_too=policy.simulated)
    block = decide(suspect, repeats, history.now, policy)
    if block is None:
        return ()
    return _block_pictures(history, suspect, block, policy) if is_shared(suspect) else (block,)


def _block_pictures(
    history: ClientHistory, suspect: Suspect, block: NewDecision, policy: BlockPolicy
) -> Iterator[NewDecision]:
    """The pictures that weigh against an address, in its place: many others send from there."""
    pictures = history.pictures_of(suspect.evidence.request_ids)
    for digest, request_ids in pictures.items():
        if history.is_picture_decided(digest, simulated_too=policy.simulated):
            continue
        scopes = (Scope.CONTENT,)
        repeats = history.earlier_blocks(digest, simulated_too=policy.simulated, scopes=scopes)
        minutes = block_minutes(policy.block_minutes, repeats)
        yield replace(
            block,
            scope=Scope.CONTENT,
            value=digest,
            reason=reason_of_picture(restrict(suspect, policy), policy.window_minutes),
            until=history.now + timedelta(minutes=minutes),
            evidence={
                **block.evidence,
                "client": suspect.evidence.client,
                "earlier_blocks": repeats,
                "request_ids": list(request_ids),
            },
        )
