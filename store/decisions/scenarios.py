"""Scenarios: each is simulated until somebody turns it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.evidence.kinds import WEIGHTS, EvidenceKind
from store.audit.audit_log import Action, Entry, append
from store.audit.reasons import read_reason
from store.decisions.decisions import BY_POLICY, DecisionError, is_active
from store.decisions.scopes import Kind
from store.tables.work_tables import DecisionRow, ScenarioRow

RECURRING_PATCH, RECURRING_PERTURBATION = "recurring_patch", "recurring_perturbation"
ATTACKING_NETWORK = "attacking_network"
SCENARIOS: tuple[str, ...] = (
    *dict.fromkeys(weight.scenario for weight in WEIGHTS.values()),
    RECURRING_PATCH,
    RECURRING_PERTURBATION,
    ATTACKING_NETWORK,
)
"""Every scenario of the jobs, in the order of pages."""
LISTING_SCENARIOS = frozenset({RECURRING_PATCH, RECURRING_PERTURBATION})
"""What these list is looked for in pictures, so that nobody can be named beforehand."""
LISTED_FROM_NOW_ON = "What is found from now on is enforced; what is on the list stays as it is."
# The setting that enforces all was there before them: whoever had set it has not seen them yet.
_ONE_BY_ONE = frozenset({ATTACKING_NETWORK})
_MAX_VALUES = 20


@dataclass(frozen=True)
class Switches:
    """Which scenarios are enforced.

    Attributes:
        simulates_all: the setting ``simulate_blocks``.
        enabled: those that a person turned on.
    """

    simulates_all: bool
    enabled: frozenset[str] = frozenset()

    def enforces(self, scenario: str) -> bool:
        """Whether blocks of a scenario keep anybody out."""
        by_setting = not self.simulates_all and scenario not in _ONE_BY_ONE
        return by_setting or scenario in self.enabled

    @property
    def enforces_any(self) -> bool:
        """Whether any scenario about clients is enforced."""
        return any(self.enforces(scenario) for scenario in SCENARIOS)

    @property
    def simulates_any(self) -> bool:
        """Whether any scenario about single clients is simulated."""
        return not all(self.enforces(each) for each in SCENARIOS if each not in _ONE_BY_ONE)


def read_switches(session: Session, *, simulates_all: bool) -> Switches:
    """The switches as they stand."""
    return Switches(simulates_all, frozenset(session.scalars(select(ScenarioRow.name))))


def enable_scenario(
    session: Session, name: str, who: str, reason: str, actor: str, now: datetime
) -> None:
    """Turn a scenario on: from now on its blocks are enforced.

    Args:
        who: name of the analyst, or of the account on the server.
        actor: as the audit table names them.

    Raises:
        DecisionError: there is no such scenario, or it is on.
        ReasonError: no reason was given, or none that can be kept.
    """
    reason = read_reason(reason)
    check_off(session, name)
    session.add(ScenarioRow(name=name, enabled_at=now, enabled_by=who, reason=reason))
    details = {"reason": reason}
    append(session, Entry(actor, Action.SCENARIO_ENABLED, f"scenario {name}", details), now)


def check_off(session: Session, name: str) -> None:
    """See that a scenario can be turned on.

    Raises:
        DecisionError: there is no such scenario, and all are named; or it is on.
    """
    if name not in SCENARIOS:
        raise DecisionError(f"There is no scenario {name!r}: there are {', '.join(SCENARIOS)}.")
    row = session.get(ScenarioRow, name)
    if row is not None:
        raise DecisionError(
            f"{row.enabled_by} turned {name} on at {row.enabled_at:%Y-%m-%d %H:%M} UTC already."
        )


@dataclass(frozen=True)
class SimulationReport:
    """What a scenario would have done, had it been enforced.

    Attributes:
        first_at: when it first decided anything, ever.
        blocks: decisions in the time that is looked back on.
        values: whom and what they are about, newest first; some of them.
        held: those that simulated blocks hold for now, to which the scenario adds evidence. They
            are judged anew once it is turned on.
    """

    scenario: str
    first_at: datetime
    blocks: int
    values: tuple[str, ...]
    held: tuple[str, ...] = ()


def report_simulations(
    session: Session, switches: Switches, now: datetime, days: int
) -> tuple[SimulationReport, ...]:
    """What each scenario that is not enforced would have done in some days."""
    simulated = [name for name in SCENARIOS if not switches.enforces(name)]
    reports = (_report(session, name, now, days) for name in simulated)
    return tuple(report for report in reports if report is not None)


def _report(session: Session, name: str, now: datetime, days: int) -> SimulationReport | None:
    its_own = (
        DecisionRow.scenario == name,
        DecisionRow.origin == BY_POLICY,
        DecisionRow.kind == Kind.BLOCK.value,
        DecisionRow.simulated,
    )
    first_at = session.scalar(select(func.min(DecisionRow.created_at)).where(*its_own))
    if first_at is None:
        return None
    recent = (*its_own, DecisionRow.created_at > now - timedelta(days=days))
    number = session.scalar(select(func.count()).where(*recent)) or 0
    newest = select(DecisionRow.value).where(*recent).order_by(DecisionRow.id.desc())
    values: Sequence[str] = session.scalars(newest.limit(_MAX_VALUES)).all()
    return SimulationReport(
        name, first_at, number, tuple(dict.fromkeys(values)), _read_held(session, name, now)
    )


def _read_held(session: Session, name: str, now: datetime) -> tuple[str, ...]:
    """Whom simulated blocks hold for whose evidence is, at least in part, of a scenario."""
    rows = session.scalars(
        select(DecisionRow)
        .where(
            DecisionRow.origin == BY_POLICY,
            DecisionRow.kind == Kind.BLOCK.value,
            DecisionRow.simulated,
            is_active(now),
        )
        .order_by(DecisionRow.id.desc())
    )
    held = dict.fromkeys(row.value for row in rows if name in _scenarios_of(row))
    return tuple(held)[:_MAX_VALUES]


def _scenarios_of(row: DecisionRow) -> set[str]:
    kinds = row.evidence.get("kinds", {})
    return {row.scenario, *(WEIGHTS[EvidenceKind(kind)].scenario for kind in kinds)}
