"""What a mail says about an alert, before it takes the form of text or markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from detectors.rule_book import find_rule
from jobs.alerting.alerts import INVALID_SHARE
from jobs.alerting.next_steps import next_steps
from jobs.alerting.rules.disk_low import DISK_LOW
from jobs.alerting.rules.integrity import MODEL_FILE_CHANGED
from jobs.alerting.rules.jobs_standing_still import JOBS_STANDING_STILL
from jobs.alerting.rules.spool_in_use import SPOOL_IN_USE
from jobs.alerting.titles import title
from store.alerts.alerts import CRITICAL, NO_TECHNIQUE, Event
from store.alerts.clock_steps import CLOCK_STEPPED
from store.phrases import phrase_share
from store.tables.work_tables import AlertRow, DecisionRow

# Rules about something on one host, and where the evidence of some has a folder.
_OF_HOSTS = frozenset({SPOOL_IN_USE, DISK_LOW, CLOCK_STEPPED, JOBS_STANDING_STILL})
_OF_FOLDERS = {SPOOL_IN_USE: "var_dir", DISK_LOW: "folder"}


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
        title=title(alert, event),
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


def _facts(alert: AlertRow, event: Event) -> tuple[tuple[str, str], ...]:
    facts = [("Firing since", moment(alert.fired_at))]
    if alert.rule == INVALID_SHARE:
        facts += [
            ("Share", f"{phrase_share(alert.value)}, limit {phrase_share(alert.threshold)}"),
            (
                "Requests",
                f"{alert.evidence.get('invalid')} of {alert.evidence.get('requests')} in "
                f"{alert.evidence.get('window_hours')} hours",
            ),
        ]
    if alert.rule == MODEL_FILE_CHANGED:
        facts += _model_facts(alert.evidence)
    if alert.rule in _OF_HOSTS:
        facts.append(("Host", str(alert.evidence.get("host"))))
    if alert.rule in _OF_FOLDERS:
        facts.append(("Folder", str(alert.evidence.get(_OF_FOLDERS[alert.rule]))))
    if alert.acknowledged_by:
        facts.append(("Looked after by", alert.acknowledged_by))
    if alert.resolved_at is not None:
        late = "" if event is Event.RESOLVED else " (this mail was delayed)"
        facts.append(("Resolved", moment(alert.resolved_at) + late))
    if alert.atlas != NO_TECHNIQUE:
        facts.append(("Technique", f"MITRE ATLAS {alert.atlas}, OWASP {alert.owasp}"))
    return tuple(facts)


def _model_facts(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Model", str(evidence.get("model"))),
        ("Host", str(evidence.get("host"))),
        ("Service", str(evidence.get("service"))),
        ("Loaded", str(evidence.get("loaded_at"))),
        ("Digest when loaded", str(evidence.get("loaded_digest"))),
    ]


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
