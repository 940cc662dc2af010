"""The alert rule ``recurring_perturbation``: one noise recurs in flagged pictures."""

from detectors.rule_book import BLOCKED_PERTURBATION
from store.alert_rules.listings import ListingWatch
from store.alert_rules.rule import AlertRule, Unit, UnitKind, count_title
from store.decisions.pictures.listed_perturbations import PERTURBATIONS
from store.decisions.scenarios import RECURRING_PERTURBATION


def _describe(recurring: str, pictures: str) -> str:
    return (
        f"{recurring} in {pictures} of different content and in no ordinary one: somebody lays one "
        "noise over many pictures."
    )


_WATCH = ListingWatch(
    RECURRING_PERTURBATION, "perturbation", PERTURBATIONS, BLOCKED_PERTURBATION, _describe
)
RULE = AlertRule(
    code=RECURRING_PERTURBATION,
    words="Recurring perturbation",
    meaning="A noise that recurs in flagged pictures of different content and in no ordinary one "
    "is on the blacklist.",
    unit=Unit(UnitKind.COUNT, "perturbation"),
    firing=count_title("recurring perturbation", "on the blacklist"),
    resolved=lambda _: "no new recurring perturbation",
    next_steps=(
        "Look at the example requests: are they of one client, or of one program that works on "
        "pictures before it sends them? Ask its people; if it is harmless, revoke the block with a "
        "reason: it is not listed again.",
        "If nobody can say where the noise comes from, somebody prepares pictures so that the "
        "model misreads them: block the clients, and let the block of the perturbation stand.",
        "The alert resolves by itself when no perturbation was listed for a day.",
    ),
    runbook="recurring_perturbation",
    look=_WATCH.look,
)
