"""The alert rule ``recurring_patch``: a patch recurs in flagged pictures."""

from collections.abc import Sequence

from detectors.rule_book import BLOCKED_PATCH
from store.alerts.alerts import WARNING, Condition
from store.decisions.listed_patches import NewPatch
from store.phrases import phrase_count

RECURRING_PATCH = "recurring_patch"
_MAX_EXAMPLES = 5


def patch_condition(patches: Sequence[NewPatch], hours: int) -> Condition:
    """Patches were put on the blacklist lately and stand there still."""
    request_ids = [request_id for each in patches for request_id in each.request_ids]
    return Condition(
        fingerprint=RECURRING_PATCH,
        rule=RECURRING_PATCH,
        severity=WARNING,
        active=bool(patches),
        value=float(len(patches)),
        threshold=0.0,
        summary=_summary(len(patches), len(set(request_ids)), hours),
        atlas=BLOCKED_PATCH.atlas,
        owasp=BLOCKED_PATCH.owasp,
        evidence={
            "decisions": [each.decision_id for each in patches],
            "simulated": any(each.simulated for each in patches),
            "request_ids": list(dict.fromkeys(request_ids))[:_MAX_EXAMPLES],
        },
    )


def _summary(prints: int, pictures: int, hours: int) -> str:
    if not prints:
        return f"No print was put on the blacklist in {hours} hours."
    verb = "recurs" if prints == 1 else "recur"
    return (
        f"{phrase_count(prints, 'print')} {verb} in {phrase_count(pictures, 'flagged picture')} "
        "and in no ordinary one: somebody tries a patch, or the model has a backdoor."
    )
