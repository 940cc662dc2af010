"""The block policy: from what a client did to a decision, or to none. Pure.

What each kind of evidence weighs is said in :mod:`detectors.evidence.kinds`.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from detectors.evidence.kinds import WEIGHTS, describe
from jobs.settings import MAX_BLOCK_MINUTES, BlockingGroup
from store.decisions.clients.client_evidence import Suspect
from store.decisions.clients.spared import is_by_hand
from store.decisions.decisions import BY_POLICY, NewDecision, subject_of
from store.decisions.scenarios import SCENARIOS, Switches
from store.decisions.scopes import Kind
from store.phrases import phrase_count


@dataclass(frozen=True)
class BlockPolicy:
    """When and for how long a client is blocked.

    Attributes:
        block_after: weight of evidence that leads to a block.
        scenarios: those that blocks are named after. The evidence of others counts as well where
            it is simulated; a block that is enforced needs no scenario that nobody turned on.
    """

    block_after: int
    window_minutes: int
    block_minutes: int
    simulated: bool
    scenarios: frozenset[str] = frozenset(SCENARIOS)


def block_policy(settings: BlockingGroup, switches: Switches, *, simulated: bool) -> BlockPolicy:
    """The policy of these settings, for the scenarios that are simulated or for the others."""
    return BlockPolicy(
        block_after=settings.block_after,
        window_minutes=settings.block_window_minutes,
        block_minutes=settings.block_minutes,
        simulated=simulated,
        scenarios=frozenset(each for each in SCENARIOS if switches.enforces(each) is not simulated),
    )


def decide(
    suspect: Suspect, earlier_blocks: int, now: datetime, policy: BlockPolicy
) -> NewDecision | None:
    """A block for a client whose evidence weighs enough, else ``None``."""
    suspect = restrict(suspect, policy)
    evidence, weighed = suspect.evidence, suspect.sum
    leading = next(iter(weighed.restrict(policy.scenarios).counts), None)
    if leading is None or weighed.weight < policy.block_after:
        return None
    if is_by_hand(evidence.client):
        return None
    minutes = block_minutes(policy.block_minutes, earlier_blocks)
    scope, value = subject_of(evidence.client)
    return NewDecision(
        kind=Kind.BLOCK,
        scope=scope,
        value=value,
        scenario=WEIGHTS[leading].scenario,
        origin=BY_POLICY,
        reason=reason(suspect, policy.window_minutes),
        created_by=BY_POLICY,
        until=now + timedelta(minutes=minutes),
        simulated=policy.simulated,
        evidence={
            "uploads": evidence.uploads,
            "weight": round(weighed.weight, 2),
            "kinds": {kind.value: count for kind, count in weighed.counts.items()},
            "earlier_blocks": earlier_blocks,
            "request_ids": list(evidence.request_ids),
        },
    )


def restrict(suspect: Suspect, policy: BlockPolicy) -> Suspect:
    """The client with what of its evidence counts."""
    if policy.simulated:
        return suspect
    return replace(suspect, sum=suspect.sum.restrict(policy.scenarios))


def phrase_blocks(what: str, simulated: Collection[str] = ()) -> str:
    """What a job says of the blocks that it made.

    Args:
        simulated: the scenarios of blocks that are simulated; none if these are enforced.

    >>> phrase_blocks("2 clients")
    'Blocked 2 clients.'
    """
    if not simulated:
        return f"Blocked {what}."
    enabling = [f"`maskwatch decisions enable {scenario}`" for scenario in sorted(simulated)]
    return f"Would block {what} (simulated: {', '.join(enabling)} to enforce)."


def block_minutes(first: int, earlier_blocks: int) -> int:
    """Doubles with each earlier block, up to seven days.

    >>> block_minutes(60, 0), block_minutes(60, 2), block_minutes(60, 99)
    (60, 240, 10080)
    """
    # More doublings than the cap has bits change nothing but the size of the number.
    return min(MAX_BLOCK_MINUTES, first << min(earlier_blocks, MAX_BLOCK_MINUTES.bit_length()))


def reason(suspect: Suspect, window_minutes: int) -> str:
    """The sentence that an analyst reads."""
    within = phrase_count(window_minutes, "minute")
    uploads = phrase_count(suspect.evidence.uploads, "upload")
    return f"{describe(suspect.sum.counts)} in {within}, {uploads} in all."


def reason_of_picture(suspect: Suspect, window_minutes: int) -> str:
    """The same for a picture that is blocked in place of an address that many share."""
    return f"One of {reason(suspect, window_minutes)[:-1]}, of an address that many seem to share."
