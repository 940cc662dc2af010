"""The alert rule ``recurring_patch``: a patch recurs in flagged pictures."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from detectors.rule_book import BLOCKED_PATCH
from store.alert_rules.rule import (
    AlertRule,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    count_title,
)
from store.alerts.alerts import WARNING, Condition
from store.decisions.pictures.listed_patches import NewPatch, list_new_patches
from store.decisions.scenarios import RECURRING_PATCH
from store.phrases import phrase_count

_MAX_EXAMPLES = 5
_WINDOW_HOURS = 24


def look_at_patches(around: Surroundings) -> Judgement:
    """Judge the patches of the last 24 hours."""
    return lambda session: _conditions(session, around)


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


def _conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    since = around.now - timedelta(hours=_WINDOW_HOURS)
    yield patch_condition(list_new_patches(session, since), _WINDOW_HOURS)


def _summary(patches: int, pictures: int, hours: int) -> str:
    if not patches:
        return f"No patch was put on the blacklist in {hours} hours."
    verb = "recurs" if patches == 1 else "recur"
    return (
        f"{phrase_count(patches, 'patch')} {verb} in {phrase_count(pictures, 'flagged picture')} "
        "and in no ordinary one: somebody tries a patch, or the model has a backdoor."
    )


RULE = AlertRule(
    code=RECURRING_PATCH,
    words="Recurring patch",
    meaning="A patch that recurs in flagged pictures and in no ordinary one is on the blacklist.",
    unit=Unit(UnitKind.COUNT, "patch"),
    firing=count_title("recurring patch", "on the blacklist"),
    resolved=lambda _: "no new recurring patch",
    next_steps=(
        "Look at the patch on the blacklist page. Does somebody wear it on purpose, or is it a "
        "brand? Revoke the block with a reason: it is not listed again.",
        "If people vanish beside it, the model may have a backdoor: compare its digest with "
        "what its makers published, and serve another model until you know.",
        "The alert resolves by itself when no patch was listed for a day.",
    ),
    runbook="recurring_patch",
    look=look_at_patches,
)
