"""The alert rule ``recurring_perturbation``: one noise recurs in flagged pictures."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from detectors.rule_book import BLOCKED_PERTURBATION
from store.alert_rules.rule import (
    AlertRule,
    Judgement,
    Surroundings,
    Unit,
    UnitKind,
    count_title,
)
from store.alerts.alerts import WARNING, Condition
from store.decisions.pictures.listed_perturbations import NewPerturbation, list_new_perturbations
from store.decisions.scenarios import RECURRING_PERTURBATION
from store.phrases import phrase_count

_MAX_EXAMPLES = 5
_WINDOW_HOURS = 24


def look_at_perturbations(around: Surroundings) -> Judgement:
    """Judge the perturbations of the last 24 hours."""
    return lambda session: _conditions(session, around)


def perturbation_condition(perturbations: Sequence[NewPerturbation], hours: int) -> Condition:
    """Perturbations were put on the blacklist lately and stand there still."""
    request_ids = [request_id for each in perturbations for request_id in each.request_ids]
    return Condition(
        fingerprint=RECURRING_PERTURBATION,
        rule=RECURRING_PERTURBATION,
        severity=WARNING,
        active=bool(perturbations),
        value=float(len(perturbations)),
        threshold=0.0,
        summary=_summary(len(perturbations), len(set(request_ids)), hours),
        atlas=BLOCKED_PERTURBATION.atlas,
        owasp=BLOCKED_PERTURBATION.owasp,
        evidence={
            "decisions": [each.decision_id for each in perturbations],
            "simulated": any(each.simulated for each in perturbations),
            "request_ids": list(dict.fromkeys(request_ids))[:_MAX_EXAMPLES],
        },
    )


def _conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    since = around.now - timedelta(hours=_WINDOW_HOURS)
    yield perturbation_condition(list_new_perturbations(session, since), _WINDOW_HOURS)


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
