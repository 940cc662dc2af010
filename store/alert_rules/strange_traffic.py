"""The alert rule ``strange_traffic``: a source is sent other pictures than it was learnt from."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Facts, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import WARNING, Condition
from store.baselines.source_names import find_name, name_fact, show_source
from store.baselines.sources import list_sources
from store.tables.baseline_tables import SourceRow
from store.tables.work_tables import AlertRow

STRANGE_TRAFFIC = "strange_traffic"
_ATLAS, _OWASP = "AML.T0043", "ML01:2023"


def look_at_sources(_around: Surroundings) -> Judgement:
    """Judge the sources as they were tested last."""
    return _conditions


def strange_condition(source: SourceRow, name: str | None = None) -> Condition:
    """One source was put back to learning, or has left it again.

    Args:
        name: what its operator calls it.
    """
    shown = name or source.digest[:12]
    return Condition(
        fingerprint=f"{STRANGE_TRAFFIC}:{source.digest[:12]}",
        rule=STRANGE_TRAFFIC,
        severity=WARNING,
        active=source.is_strange,
        value=float(source.is_strange),
        threshold=0.0,
        summary=(
            f"The traffic of {shown} is unlike what its baseline was learnt from: it "
            "learns anew, and flags nothing by the content of pictures until then."
            if source.is_strange
            else f"The traffic of {shown} fits what it was learnt from."
        ),
        atlas=_ATLAS,
        owasp=_OWASP,
        evidence={"source": source.digest, **name_fact(name), "why": source.why},
    )


def _conditions(session: Session) -> Iterator[Condition]:
    for source in list_sources(session):
        yield strange_condition(source, find_name(session, source.digest))


def _list_facts(alert: AlertRow) -> Facts:
    evidence = alert.evidence
    return (
        ("Source", show_source(evidence)),
        ("Why", str(evidence.get("why"))),
    )


RULE = AlertRule(
    code=STRANGE_TRAFFIC,
    words="Strange traffic",
    meaning="A source is sent other pictures than its baseline was learnt from, and learns anew.",
    unit=Unit(UnitKind.COUNT, "source"),
    firing=lambda _: "the traffic is unlike what was learnt",
    resolved=lambda _: "the traffic was learnt anew",
    next_steps=(
        "Did something change: a new application, other cameras, other preparation before the "
        "upload? Then wait: `maskwatch baselines list` says how far the source is learnt.",
        "If nothing changed, look at the newest requests: many clients that send crafted pictures "
        "look like this too. Block them, and put the former baseline back with "
        "`maskwatch baselines promote`.",
        "The alert resolves by itself when the source was learnt anew.",
    ),
    runbook="strange_traffic",
    look=look_at_sources,
    facts=_list_facts,
)
