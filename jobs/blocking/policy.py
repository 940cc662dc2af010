"""The block policy: from what a client did to a decision, or to none. Pure.

What each kind of evidence weighs is said in :mod:`detectors.evidence_kinds`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.evidence_kinds import WEIGHTS, describe
from jobs.settings import MAX_BLOCK_MINUTES
from store.decisions.client_evidence import Suspect
from store.decisions.decisions import BY_POLICY, Kind, NewDecision, Scope
from store.phrases import phrase_count

_NEVER_BLOCKED = "cli:"


@dataclass(frozen=True)
class BlockPolicy:
    """When and for how long a client is blocked.

    Attributes:
        block_after: weight of evidence that leads to a block.
    """

    block_after: int
    window_minutes: int
    block_minutes: int
    simulated: bool


def decide(
    suspect: Suspect, earlier_blocks: int, now: datetime, policy: BlockPolicy
) -> NewDecision | None:
    """A block for a client whose evidence weighs enough, else ``None``."""
    evidence, weighed = suspect.evidence, suspect.sum
    if evidence.client.startswith(_NEVER_BLOCKED) or weighed.weight < policy.block_after:
        return None
    minutes = block_minutes(policy.block_minutes, earlier_blocks)
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value=evidence.client,
        scenario=WEIGHTS[next(iter(weighed.counts))].scenario,
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


def phrase_blocks(what: str, simulated: bool) -> str:
    """What a job says of the blocks that it made.

    >>> phrase_blocks("2 clients", simulated=False)
    'Blocked 2 clients.'
    """
    if not simulated:
        return f"Blocked {what}."
    return f"Would block {what} (simulated: set MASKWATCH_SIMULATE_BLOCKS=false to enforce)."


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
