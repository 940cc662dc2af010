"""What a mail says about an alert, before it takes the form of text or markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from detectors.rule_book import find_rule
from jobs.alerting.next_steps import next_steps
from store.alert_rules.registry import find_alert_rule
from store.alerts.alerts import CRITICAL, NO_TECHNIQUE, Event
from store.tables.work_tables import AlertRow, DecisionRow


@dataclass(frozen=True)
class Table:
    """A small table; every cell is text."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Link:
    """A deep link into the dashboard."""

    text: str
    url: str


@dataclass(frozen=True)
class Report:
    """Enough to decide on.

    Attributes:
        badge: ``FIRING warning``, ``FIRING critical`` or ``RESOLVED``.
        title: one line: what, how much, against which limit.
        facts: label and value pairs.
    """

    event: Event
    critical: bool
    badge: str
    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    examples: tuple[Link, ...]
    next_steps: tuple[str, ...]
    links: tuple[Link, ...]

    @property
    def subject(self) -> str:
        """The mail's subject."""
        return f"[Maskwatch] {self.badge}: {self.title}"


def report_on(
    alert: AlertRow, event: Event, blocks: Mapping[str, DecisionRow], dashboard_url: str
) -> Report:
    """Tell of one event of an alert.

    Args:
        blocks: the active block of each client that has one.
    """
    evidence = alert.evidence
    return Report(
        event=event,
        critical=alert.severity == CRITICAL,
        badge="RESOLVED" if event is Event.RESOLVED else f"FIRING {alert.severity}",
        title=_title(alert, event),
        summary=alert.summary,
        facts=_facts(alert, event),
        tables=_tables(evidence, blocks),
        examples=tuple(
            Link(str(name), f"{dashboard_url}/request?id={quote(str(name), safe='')}")
            for name in evidence.get("request_ids", ())
        ),
        next_steps=() if event is Event.RESOLVED else next_steps(alert, blocks),
        links=(
            Link("Open the alert", f"{dashboard_url}/alerts?alert={alert.id}"),
            Link("Open the blacklist", f"{dashboard_url}/blacklist"),
        ),
    )


def clients_in(alert: AlertRow) -> tuple[str, ...]:
    """The clients that an alert's evidence names."""
    return tuple(str(name) for name, _ in alert.evidence.get("clients", ()))


def moment(at: datetime) -> str:
    """A time for people; always UTC.

    >>> moment(datetime(2026, 3, 2, 12, 5))
    '2 Mar 2026, 12:05 UTC'
    """
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _title(alert: AlertRow, event: Event) -> str:
    rule = find_alert_rule(alert.rule)
    if rule is None:
        return alert.rule.replace("_", " ")
    return rule.resolved(alert) if event is Event.RESOLVED else rule.firing(alert)


def _facts(alert: AlertRow, event: Event) -> tuple[tuple[str, str], ...]:
    facts = [("Firing since", moment(alert.fired_at))]
    rule = find_alert_rule(alert.rule)
    facts += rule.facts(alert) if rule else ()
    if alert.acknowledged_by:
        facts.append(("Looked after by", alert.acknowledged_by))
    if alert.resolved_at is not None:
        late = "" if event is Event.RESOLVED else " (this mail was delayed)"
        facts.append(("Resolved", moment(alert.resolved_at) + late))
    if alert.atlas != NO_TECHNIQUE:
        facts.append(("Technique", f"MITRE ATLAS {alert.atlas}, OWASP {alert.owasp}"))
    return tuple(facts)


def _tables(evidence: Mapping[str, Any], blocks: Mapping[str, DecisionRow]) -> tuple[Table, ...]:
    reasons = tuple(
        (_explain(str(code)), str(count)) for code, count in evidence.get("reasons", ())
    )
    clients = tuple(
        (str(name), str(count), _describe_block(blocks.get(str(name))))
        for name, count in evidence.get("clients", ())
    )
    files = tuple((str(name), str(kind)) for kind, name in evidence.get("files", ()))
    tables = (
        Table("Files", ("File", "Now"), files),
        Table("Why", ("Reason", "Requests"), reasons),
        Table("Who", ("Client", "Requests", "Decision so far"), clients),
    )
    return tuple(table for table in tables if table.rows)


def _explain(code: str) -> str:
    try:
        return f"{code}: {find_rule(code).sentence}"
    except KeyError:
        return code


def _describe_block(block: DecisionRow | None) -> str:
    if block is None:
        return "none"
    verb = "would be blocked (simulated)" if block.simulated else "blocked"
    return f"{verb} until {moment(block.until)}"
