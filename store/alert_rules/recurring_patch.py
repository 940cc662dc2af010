"""The alert rule ``recurring_patch``: a patch recurs in flagged pictures."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from detectors.rule_book import BLOCKED_PATCH
from store.alert_rules.listings import WINDOW_HOURS, list_pictures, listing_condition
from store.alert_rules.rule import (
    AlertRule,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    count_title,
)
from store.alerts.alerts import Condition
from store.decisions.pictures.listed_patches import list_new_patches
from store.decisions.pictures.listings import NewListing
from store.decisions.scenarios import RECURRING_PATCH
from store.phrases import phrase_count


def look_at_patches(around: Surroundings) -> Judgement:
    """Judge the patches of the last 24 hours."""
    return lambda session: _conditions(session, around)


def patch_condition(patches: Sequence[NewListing], hours: int) -> Condition:
    """Patches were put on the blacklist lately and stand there still."""
    summary = _summary(len(patches), len(list_pictures(patches)), hours)
    return listing_condition(RECURRING_PATCH, BLOCKED_PATCH, patches, summary)


def _conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    since = around.now - timedelta(hours=WINDOW_HOURS)
    yield patch_condition(list_new_patches(session, since), WINDOW_HOURS)


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
