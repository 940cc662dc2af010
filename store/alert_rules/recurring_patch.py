"""The alert rule ``recurring_patch``: a patch recurs in flagged pictures."""

from detectors.rule_book import BLOCKED_PATCH
from store.alert_rules.listings import ListingWatch
from store.alert_rules.rule import AlertRule, Unit, UnitKind, count_title
from store.decisions.pictures.listed_patches import PATCHES
from store.decisions.scenarios import RECURRING_PATCH


def _describe(recurring: str, pictures: str) -> str:
    return (
        f"{recurring} in {pictures} and in no ordinary one: somebody tries a patch, or the "
        "model has a backdoor."
    )


_WATCH = ListingWatch(RECURRING_PATCH, "patch", PATCHES, BLOCKED_PATCH, _describe)
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
    look=_WATCH.look,
)
