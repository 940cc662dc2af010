"""Sources: how well each is known, and what judges it; every change moves the mark."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.phases import Phase, SourceState
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits
from store.audit.audit_log import Action, Entry, append
from store.baselines.baselines import find_baseline, read_baseline_row
from store.baselines.trigger_limits import TRIGGER_LIMIT, read_trigger_limit
from store.engine.change_marks import Mark, move_mark
from store.tables.baseline_tables import BaselineRow, RuleBudgetRow, SourceRow

# When pictures are enough to judge by, and to flag by.
MIN_PROVISIONAL = 200
MIN_IN_FORCE = 600


@dataclass(frozen=True)
class Step:
    """A source enters a phase, or another baseline judges it.

    Attributes:
        why: one sentence.
        is_anchor: whether baselines that are learnt later are held against this one.
    """

    phase: Phase
    baseline_id: int | None
    why: str
    limits: TopologyLimits = DEFAULTS
    max_entropy: float | None = None
    is_strange: bool = False
    is_anchor: bool = False


def ensure_source(
    session: Session, digest: str, now: datetime, learning_since: datetime | None = None
) -> SourceRow:
    """The row of a source; a new one is learning.

    Args:
        learning_since: from when on a new one is learnt from; default: now.
    """
    row = session.get(SourceRow, digest)
    if row is not None:
        return row
    row = SourceRow(
        digest=digest,
        phase=Phase.LEARNING.value,
        since=now,
        baseline_id=None,
        anchor_id=None,
        learning_since=learning_since or now,
        pictures=0,
        clients=0,
        why="No sampled picture was counted yet.",
        is_strange=False,
        tested_at=None,
        learnt_at=None,
        max_entropy=None,
        limits=None,
        version=0,
    )
    session.add(row)
    session.flush()
    return row


def take_step(session: Session, row: SourceRow, step: Step, actor: str, now: datetime) -> None:
    """Let a source enter a phase or be judged by another baseline, and write it into the audit."""
    move_mark(session, Mark.SOURCES)
    former = {"phase": row.phase, "baseline": row.baseline_id}
    if row.phase != step.phase.value:
        row.since = now
    row.phase, row.baseline_id, row.why = step.phase.value, step.baseline_id, step.why
    row.limits = (row.limits or {}) | step.limits.list_learnt()
    row.max_entropy = step.max_entropy
    row.is_strange = step.is_strange
    if step.phase is Phase.LEARNING:
        row.learning_since = now
    row.version += 1
    if step.is_anchor:
        row.anchor_id = step.baseline_id
    if step.baseline_id is not None:
        baseline = find_baseline(session, step.baseline_id)
        baseline.promoted_at, baseline.promoted_by = now, actor
    after = {"phase": step.phase.value, "baseline": step.baseline_id}
    details = {"source": row.digest, "before": former, "after": after, "why": step.why}
    subject = f"source {row.digest[:12]}"
    append(session, Entry(actor, Action.SOURCE_CHANGED, subject, details), now)


def promote(session: Session, baseline_id: int, actor: str, now: datetime) -> SourceRow:
    """Put a baseline in force by hand: from then on its source flags, and it is the new anchor.

    Raises:
        BaselineError: there is no such baseline, or it was changed.
    """
    baseline = find_baseline(session, baseline_id)
    limits = read_baseline_row(baseline).limits
    row = ensure_source(session, baseline.source, now)
    step = Step(
        Phase.IN_FORCE,
        baseline_id,
        "A person put its baseline in force.",
        limits,
        row.max_entropy,
        is_anchor=True,
    )
    take_step(session, row, step, actor, now)
    row.tested_at = now
    return row


def roll_back(session: Session, source: str, actor: str, now: datetime) -> SourceRow:
    """Put the baseline in force by hand that was in force before the present one.

    Raises:
        BaselineError: there is no such source, or no baseline before.
    """
    row = find_source(session, source)
    present = None if row.baseline_id is None else session.get(BaselineRow, row.baseline_id)
    before = None if present is None else present.parent_id
    if before is None:
        raise BaselineError(
            f"No baseline was in force before the present one of {row.digest[:12]}: "
            "`maskwatch baselines list` lists those that can be promoted."
        )
    return promote(session, before, actor, now)


def find_source(session: Session, prefix: str) -> SourceRow:
    """The one source whose digest begins like this.

    Raises:
        BaselineError: there is none, or there are several.
    """
    statement = select(SourceRow).where(SourceRow.digest.startswith(prefix, autoescape=True))
    rows = session.scalars(statement.limit(2)).all()
    if len(rows) != 1:
        raise BaselineError(
            f"{'Several sources begin' if rows else 'No source begins'} with {prefix!r}: "
            "`maskwatch baselines list` names them."
        )
    return rows[0]


def list_sources(session: Session) -> tuple[SourceRow, ...]:
    """All sources by digest."""
    return tuple(session.scalars(select(SourceRow).order_by(SourceRow.digest)))


def read_states(session: Session) -> Mapping[str, SourceState]:
    """What services have to know of every source, by digest.

    Raises:
        BaselineError: a baseline that judges was changed, or is one of another version.
    """
    demoted: dict[str, set[str]] = {}
    statement = select(RuleBudgetRow.source, RuleBudgetRow.rule).where(RuleBudgetRow.is_demoted)
    for source, rule in session.execute(statement):
        demoted.setdefault(source, set()).add(rule)
    return {
        row.digest: _read_state(session, row, frozenset(demoted.get(row.digest, ())))
        for row in list_sources(session)
    }


def _read_state(session: Session, row: SourceRow, demoted: frozenset[str]) -> SourceState:
    baseline: Baseline | None = None
    if row.baseline_id is not None:
        baseline = read_baseline_row(find_baseline(session, row.baseline_id))
    return SourceState(
        Phase(row.phase),
        baseline,
        limits_of(row),
        demoted,
        row.max_entropy,
        read_trigger_limit(row),
        has_own=baseline is None or row.anchor_id is not None,
    )


def limits_of(row: SourceRow) -> TopologyLimits:
    """The limits of the topology rules that hold for a source."""
    learnt = {name: value for name, value in (row.limits or {}).items() if name != TRIGGER_LIMIT}
    return TopologyLimits.of(learnt) if learnt else DEFAULTS
