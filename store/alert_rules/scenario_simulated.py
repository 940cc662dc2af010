"""The alert rule ``scenario_simulated``: a scenario was simulated long enough to decide on it."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Facts, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import NO_TECHNIQUE, WARNING, Condition, open_alerts
from store.decisions.scenarios import SimulationReport, read_switches, report_simulations
from store.phrases import phrase_count
from store.tables.work_tables import AlertRow

SCENARIO_SIMULATED = "scenario_simulated"
_MAX_NAMED = 5


def look_at_simulations(around: Surroundings) -> Judgement:
    """Judge the scenarios that nobody has turned on."""
    return lambda session: list_simulation_conditions(session, around)


def list_simulation_conditions(session: Session, around: Surroundings) -> Iterator[Condition]:
    """A condition for each scenario that would have done something, and for each that is over."""
    switches = read_switches(session, simulates_all=around.simulate_blocks)
    days, since = around.simulation_days, around.now - timedelta(days=around.simulation_days)
    reports = [
        report
        for report in report_simulations(session, switches, around.now, days)
        if report.first_at <= since and report.blocks
    ]
    for report in reports:
        yield _condition(report, days)
    fingerprints = {_fingerprint(report.scenario) for report in reports}
    for alert in open_alerts(session, SCENARIO_SIMULATED):
        if alert.fingerprint not in fingerprints:
            yield _over(alert)


def _condition(report: SimulationReport, days: int) -> Condition:
    more = report.blocks - len(report.values[:_MAX_NAMED])
    named = ", ".join(value[:40] for value in report.values[:_MAX_NAMED])
    return Condition(
        fingerprint=_fingerprint(report.scenario),
        rule=SCENARIO_SIMULATED,
        severity=WARNING,
        active=True,
        value=float(report.blocks),
        threshold=0.0,
        summary=(
            f"In {phrase_count(days, 'day')} the scenario {report.scenario} would have made "
            f"{phrase_count(report.blocks, 'block')}: {named}"
            f"{f' and {more} more' if more > 0 else ''}. "
            "It is simulated until somebody turns it on."
        ),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={"scenario": report.scenario, "days": days, "values": list(report.values)},
    )


def _over(alert: AlertRow) -> Condition:
    return Condition(
        fingerprint=alert.fingerprint,
        rule=SCENARIO_SIMULATED,
        severity=alert.severity,
        active=False,
        value=0.0,
        threshold=0.0,
        summary=f"The scenario {alert.evidence.get('scenario')} is on, or blocks nobody any more.",
        atlas=alert.atlas,
        owasp=alert.owasp,
        evidence=alert.evidence,
    )


def _fingerprint(scenario: str) -> str:
    return f"{SCENARIO_SIMULATED}/{scenario}"


def _list_facts(alert: AlertRow) -> Facts:
    return (("Scenario", str(alert.evidence.get("scenario"))),)


RULE = AlertRule(
    code=SCENARIO_SIMULATED,
    words="Scenario simulated",
    meaning="A scenario was simulated long enough to say what it would have done, and to whom.",
    unit=Unit(UnitKind.COUNT, "simulated block"),
    firing=lambda alert: (
        f"{alert.evidence.get('scenario')} would have made "
        f"{phrase_count(int(alert.value), 'block')}"
    ),
    resolved=lambda alert: f"{alert.evidence.get('scenario')} is decided on",
    next_steps=(
        "Look at its simulated decisions on the blacklist page: whom would they have kept out?",
        "All of them attacked? Turn the scenario on there, or with `maskwatch decisions enable`, "
        "which says first whom the next run will hit.",
        "Otherwise acknowledge the alert: the scenario stays simulated.",
    ),
    runbook="scenario_simulated",
    look=look_at_simulations,
    facts=_list_facts,
)
