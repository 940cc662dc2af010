"""Which suspected triggers flag on a source: those that score more than its clean pictures do.

Counted as the budgets are, over networks: no single client or network moves the limit, and no
number of them beyond its bounds.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from detectors.baseline.budgets import (
    MIN_REQUESTS,
    PROMOTE_AT,
    Request,
    group_networks,
    least_share,
)
from detectors.rule_book import ADVERSARIAL_PICTURE, TRIGGER_SUSPECTED

# None, then from just above that of the reference segmenter up to less than real triggers score,
# 0.33 and more.
_STEPS = (0.0, *(round(0.08 + 0.01 * step, 2) for step in range(14)))
MAX_TRIGGER_LIMIT = _STEPS[-1]
# So that it does not go up and down with every request.
_LOWER_BY = 2
_CODE = TRIGGER_SUSPECTED.code


def choose_trigger_limit(requests: Sequence[Request], budget: float, present: float) -> float:
    """The least limit by which the rule keeps four fifths of its budget, or the largest there is.

    Args:
        budget: the largest share of the requests that the rule may fire on.
        present: the limit that holds, 0: none; it stays if the least one is hardly lower, and while
            there are too few requests.
    """
    if len(requests) < MIN_REQUESTS:
        return present
    clean = [each for each in requests if ADVERSARIAL_PICTURE.code not in each.codes]
    too_low = takewhile(lambda step: _fires_on(clean, step) > PROMOTE_AT * budget, _STEPS[:-1])
    place = sum(1 for _ in too_low)
    return present if present in _STEPS[place : place + _LOWER_BY] else _STEPS[place]


def leave_out_weak(requests: Sequence[Request], limit: float) -> list[Request]:
    """The requests without the suspected triggers that do not flag by a limit."""
    return [_leave_out(each, limit) for each in requests]


def _fires_on(requests: Sequence[Request], limit: float) -> float:
    return least_share(group_networks(leave_out_weak(requests, limit), {_CODE}))


def _leave_out(request: Request, limit: float) -> Request:
    score = request.trigger_score
    if _CODE not in request.codes or score is None or score > limit:
        return request
    return replace(request, codes=request.codes - {_CODE})
