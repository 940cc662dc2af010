"""The alert rule ``rule_demoted``: a rule fires on more clean traffic than its budget allows."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Facts, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import WARNING, Condition
from store.baselines.rule_budgets import describe_budget, list_budgets
from store.baselines.source_names import find_name, name_fact, show_source
from store.phrases import phrase_share
from store.tables.baseline_tables import RuleBudgetRow
from store.tables.work_tables import AlertRow

RULE_DEMOTED = "rule_demoted"
_ATLAS, _OWASP = "AML.T0015", "ML01:2023"


def look_at_budgets(_around: Surroundings) -> Judgement:
    """Judge the alarm budgets as they were counted last."""
    return _conditions


def demotion_condition(budget: RuleBudgetRow, name: str | None = None) -> Condition:
    """One rule on one source.

    Args:
        name: what the operator calls the source.
    """
    return Condition(
        fingerprint=f"{RULE_DEMOTED}:{budget.source[:12]}:{budget.rule}",
        rule=RULE_DEMOTED,
        severity=WARNING,
        active=budget.is_demoted,
        value=budget.share,
        threshold=budget.budget,
        summary=f"On {name or budget.source[:12]}, {describe_budget(budget)}",
        atlas=_ATLAS,
        owasp=_OWASP,
        evidence={
            "source": budget.source,
            **name_fact(name),
            "rule": budget.rule,
            "requests": budget.requests,
            "clients": budget.clients,
            "firing_clients": budget.firing_clients,
        },
    )


def _conditions(session: Session) -> Iterator[Condition]:
    for budget in list_budgets(session):
        yield demotion_condition(budget, find_name(session, budget.source))


def _title(alert: AlertRow) -> str:
    return f"{alert.evidence.get('rule')} no longer flags"


def _list_facts(alert: AlertRow) -> Facts:
    evidence = alert.evidence
    return (
        ("Rule", str(evidence.get("rule"))),
        ("Source", show_source(evidence)),
        ("Share", f"{phrase_share(alert.value)}, budget {phrase_share(alert.threshold)}"),
        ("Clients", f"{evidence.get('firing_clients')} of {evidence.get('clients')}"),
    )


RULE = AlertRule(
    code=RULE_DEMOTED,
    words="Rule demoted",
    meaning="A rule fires on more of a source's accepted traffic than its alarm budget allows.",
    unit=Unit(UnitKind.SHARE, "share of the requests"),
    firing=_title,
    resolved=lambda alert: f"{alert.evidence.get('rule')} keeps its budget again",
    next_steps=(
        "Look at some of its requests on the traffic page. Are they ordinary pictures? Then "
        "nothing has to be done: the rule is no evidence for what your users send.",
        "Do many clients attack? Then block them: what blocked clients sent is not counted.",
        "The alert resolves by itself when the rule keeps its budget: it flags again then.",
    ),
    runbook="rule_demoted",
    look=look_at_budgets,
    facts=_list_facts,
)
