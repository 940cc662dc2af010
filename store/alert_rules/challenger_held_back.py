"""The alert rule ``challenger_held_back``: the last model that was trained is not promoted."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Facts, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import WARNING, Condition
from store.models.outlier_models import HELD_BACK, find_held_back
from store.tables.work_tables import AlertRow, OutlierModelRow

CHALLENGER_HELD_BACK = "challenger_held_back"
_ATLAS, _OWASP = "AML.T0020", "ML02:2023"


def look_at_challenger(_around: Surroundings) -> Judgement:
    """Judge the newest model."""
    return _conditions


def held_back_condition(challenger: OutlierModelRow | None) -> Condition:
    """A challenger that was held back, or none."""
    return Condition(
        fingerprint=CHALLENGER_HELD_BACK,
        rule=CHALLENGER_HELD_BACK,
        severity=WARNING,
        active=challenger is not None,
        value=0.0 if challenger is None else 1.0,
        threshold=0.0,
        summary=_summarise(challenger),
        atlas=_ATLAS,
        owasp=_OWASP,
        evidence={} if challenger is None else {"model": challenger.id},
    )


def _conditions(session: Session) -> Iterator[Condition]:
    yield held_back_condition(find_held_back(session))


def _summarise(challenger: OutlierModelRow | None) -> str:
    if challenger is None:
        return "The last outlier model that was trained is in force, or nobody holds it back."
    return (
        f"Outlier model {challenger.id} was not promoted; the champion stays. "
        f"{challenger.metrics[HELD_BACK]}"
    )


def _list_facts(alert: AlertRow) -> Facts:
    model = alert.evidence.get("model")
    return () if model is None else (("Outlier model", str(model)),)


RULE = AlertRule(
    code=CHALLENGER_HELD_BACK,
    words="Challenger held back",
    meaning="The outlier model of the last retraining was not promoted; the champion stays.",
    unit=Unit(UnitKind.COUNT, "outlier model"),
    firing=lambda _: "the new outlier model is held back",
    resolved=lambda _: "the newest outlier model is in force",
    next_steps=(
        "Read why above; `maskwatch detectors show MODEL` has its numbers, and `maskwatch "
        "detectors compare` holds it against the champion.",
        "Did somebody feed it? Look at the outliers and the busiest networks since the champion "
        "was trained, and block who attacks: what blocked clients sent is not learnt from.",
        "Did the world change? Renew the frozen clean set with `maskwatch detectors freeze clean`, "
        "or promote the model with `maskwatch detectors promote`. The next night tries again.",
    ),
    runbook=CHALLENGER_HELD_BACK,
    look=look_at_challenger,
    facts=_list_facts,
)
