"""The block policy: from what a client did to a decision, or to none. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scipy.special import bdtrc

from jobs.context import phrase_count
from jobs.settings import MAX_BLOCK_MINUTES
from store.decisions.decisions import BY_POLICY, Kind, NewDecision, Scope
from store.requests.record_store import ClientActivity

REPEATED_OUTLIERS = "repeated_outliers"
REPEATED_REFUSALS = "repeated_refusals"
# By construction a share of normal requests are outliers, so a busy client collects some. Outliers
# count against a client only when this many are less likely than one in a thousand by chance.
MAX_CHANCE = 0.001
_NEVER_BLOCKED = "cli:"


@dataclass(frozen=True)
class BlockPolicy:
    """When and for how long a client is blocked.

    Attributes:
        outlier_share: share of normal requests that are outliers by construction.
    """

    block_after: int
    window_minutes: int
    block_minutes: int
    outlier_share: float
    simulated: bool


def decide(
    activity: ClientActivity, earlier_blocks: int, now: datetime, policy: BlockPolicy
) -> NewDecision | None:
    """A block for a client with several outliers or refusals, else ``None``.

    Flags alone do not count: odd pictures are what a photo service is sent.
    """
    if activity.client.startswith(_NEVER_BLOCKED) or not is_repeated(activity, policy):
        return None
    minutes = block_minutes(policy.block_minutes, earlier_blocks)
    outliers_lead = activity.outliers >= activity.refusals
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.CLIENT,
        value=activity.client,
        scenario=REPEATED_OUTLIERS if outliers_lead else REPEATED_REFUSALS,
        origin=BY_POLICY,
        reason=reason(activity, policy.window_minutes),
        created_by=BY_POLICY,
        until=now + timedelta(minutes=minutes),
        simulated=policy.simulated,
        evidence={
            "requests": activity.requests,
            "outliers": activity.outliers,
            "refusals": activity.refusals,
            "flags": activity.flags,
            "earlier_blocks": earlier_blocks,
            "request_ids": list(activity.request_ids),
        },
    )


def is_repeated(activity: ClientActivity, policy: BlockPolicy) -> bool:
    """Whether refusals alone, or outliers and refusals that chance cannot explain, are enough."""
    if activity.refusals >= policy.block_after:
        return True
    bad = activity.outliers + activity.refusals
    if bad < policy.block_after:
        return False
    chance = bdtrc(bad - 1, max(bad, activity.requests), policy.outlier_share)
    return bool(chance < MAX_CHANCE)


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


def reason(activity: ClientActivity, window_minutes: int) -> str:
    """The sentence that an analyst reads."""
    counts = [
        phrase_count(number, noun)
        for number, noun in ((activity.outliers, "outlier"), (activity.refusals, "refusal"))
        if number
    ]
    return (
        f"{' and '.join(counts)} among {phrase_count(activity.requests, 'request')} "
        f"in {phrase_count(window_minutes, 'minute')}."
    )
