"""The alert rule ``recurring_perturbation``: one noise recurs in flagged pictures."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from detectors.rule_book import BLOCKED_PERTURBATION
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
from store.decisions.pictures.listed_perturbations import list_new_perturbations
from store.decisions.pictures.listings import NewListing
from store.decisions.scenarios import RECURRING_PERTURBATION
from store.phrases import phrase_count


def look_at_perturbations(around: Surroundings) -> Judgement:
    """Judge the perturbations of the last 24 hours."""
    return lambda session: _conditions(session, around)


def perturbation_condition(perturbations: Sequence[NewListing], hours: int) -> Condition:
    """Perturbations were put on the blacklist lately and stand there still."""
    summary = _summary(len(perturbations), len(list_pictures(perturbations)), hours)
    return listing_condition(RECURRING_PERTURBATION, BLOCKED_PERTURBATION, perturbations, summary)


def _conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    since = around.now - timedelta(hours=WINDOW_HOURS)
    yield perturbation_condition(list_new_perturbations(session, since), WINDOW_HOURS)


def _summary(perturbations: int, pictures: int, hours: int) -> str:
    if not perturbations:
        return f"No perturbation was put on the blacklist in {hours} hours."
    verb = "recurs" if perturbations == 1 else "recur"
    return (
        f"{phrase_count(perturbations, 'perturbation')} {verb} in "
        f"{phrase_count(pictures, 'flagged picture')} of different content and in no ordinary one: "
        "somebody lays one noise over many pictures."
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
    look=look_at_perturbations,
)
