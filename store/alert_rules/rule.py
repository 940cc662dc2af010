"""What an alert rule is: how it is judged, and all that pages, mails and docs say about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.orm import Session

from store.alerts.alerts import Condition
from store.configuration.network_groups import Network
from store.configuration.report_groups import AlertsGroup, OutliersGroup
from store.configuration.store_groups import StoreGroup
from store.phrases import phrase_count
from store.tables.work_tables import AlertRow


class UnitKind(StrEnum):
    """How the value of an alert is written."""

    COUNT = "count"
    AMOUNT = "amount"
    SHARE = "share"
    NUMBER = "number"


@dataclass(frozen=True)
class Unit:
    """What the value and the threshold of an alert measure.

    Attributes:
        noun: of a count the thing, in the singular; of an amount its unit; else what it is.
    """

    kind: UnitKind
    noun: str


@dataclass(frozen=True)
class Surroundings:
    """What the job ``evaluate_alerts`` judges by.

    Attributes:
        database_file: the SQLite file; ``None`` on PostgreSQL.
        block_after: weight of evidence that leads to a block.
        simulate_blocks: whether scenarios are simulated until somebody turns them on.
        simulation_days: after so many a scenario is reported on.
        trusted_proxies: who forwards for others, and is never blocked.
    """

    now: datetime
    database_file: Path | None
    store: StoreGroup
    alerts: AlertsGroup
    outliers: OutliersGroup
    block_after: int
    block_window_minutes: int
    simulate_blocks: bool = True
    simulation_days: int = 7
    trusted_proxies: Sequence[Network] = ()


Title = Callable[[AlertRow], str]
Facts = tuple[tuple[str, str], ...]
Judgement = Callable[[Session], Iterator[Condition]]
# Reads what is not in the database, before any transaction; the judgement runs within one.
Look = Callable[[Surroundings], Judgement]


def list_no_facts(_alert: AlertRow) -> Facts:
    """For rules whose summary and evidence say everything."""
    return ()


@dataclass(frozen=True)
class AlertRule:
    """One alert rule.

    Attributes:
        code: stored with each alert.
        words: its name on pages.
        meaning: when it fires, one sentence for the docs.
        unit: of the value and the threshold.
        firing: the subject of a mail while an alert fires: what, how much, against which limit.
        resolved: the same when it is over.
        next_steps: what to do, in this order; ``{name}`` stands for that of the
            evidence.
        runbook: heading of the runbook in the docs.
        judge: the job or part that opens its alerts.
        look: how ``evaluate_alerts`` judges it; ``None`` if another part does, or another rule
            of the same module.
        facts: label and value pairs that a mail shows beside those that all alerts have.
    """

    code: str
    words: str
    meaning: str
    unit: Unit
    firing: Title
    resolved: Title
    next_steps: tuple[str, ...]
    runbook: str
    judge: str = "evaluate_alerts"
    look: Look | None = None
    facts: Callable[[AlertRow], Facts] = list_no_facts


def count_title(noun: str, ending: str) -> Title:
    """A title that begins with the value: ``2 model files changed``."""
    return lambda alert: f"{phrase_count(int(alert.value), noun)} {ending}"


def list_host(alert: AlertRow) -> Facts:
    """The host that an alert is about."""
    return (("Host", str(alert.evidence.get("host"))),)
