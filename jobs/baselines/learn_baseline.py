"""Learn baseline: every source gets a baseline, limits and alarm budgets from its own traffic.

It is computed outside of any write, and written only if nobody, a person for example, changed the
source meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.baseline_text import to_json
from detectors.baseline.budgets import Band, RuleCount, count_rules
from detectors.baseline.phases import Phase
from detectors.baseline.sample import SampleRow
from detectors.baseline.source_fit import SourceFit
from detectors.baseline.trigger_limit import choose_trigger_limit, leave_out_weak
from detectors.topology.topology_limits import DEFAULTS
from jobs.baselines.next_step import Plan, Standing, choose_plan
from jobs.context import JobContext, JobOutcome
from store.audit.actors import job
from store.baselines.baselines import (
    NewBaseline,
    Origin,
    add_baseline,
    newest_given,
    read_baseline_row,
)
from store.baselines.rule_budgets import keep_counts, read_demoted
from store.baselines.sample_rows import list_sampled_sources, read_requests, read_sample
from store.baselines.source_names import find_name, show_title
from store.baselines.sources import Step, ensure_source, list_sources, take_step
from store.baselines.trigger_limits import keep_trigger_limit, read_trigger_limit
from store.engine.locks import take_turn
from store.engine.reader_locks import Reader, lock_for_reading
from store.phrases import phrase_count
from store.tables.baseline_tables import BaselineRow, SourceRow

_log = structlog.get_logger(__name__)
_ACTOR = job("learn_baseline")
_MAX_PICTURES = 4_000
_MAX_REQUESTS = 5_000
# The first look is one pass, so whatever has more was looked at in full.
_MIN_PASSES = 2


def run(context: JobContext) -> JobOutcome:
    """The job ``learn_baseline``."""
    with context.database.read() as session:
        digests = {*list_sampled_sources(session), *(row.digest for row in list_sources(session))}
    changes = [change for digest in sorted(digests) for change in learn_one(context, digest)]
    return JobOutcome(
        " ".join((f"{phrase_count(len(digests), 'source')}.", *changes)), len(digests)
    )


def learn_one(context: JobContext, digest: str) -> list[str]:
    """Learn one source as far as its traffic allows; what changed, in sentences."""
    with lock_for_reading(context.database, Reader.TRAINING), context.database.read() as session:
        reading = _read(session, context, digest)
    plan = choose_plan(reading.standing, context.now)
    with context.database.write() as session:
        take_turn(session, "sources")
        since = context.now - timedelta(days=context.settings.learning.learning_days)
        row = ensure_source(session, digest, context.now, since)
        title = show_title(row.digest, find_name(session, row.digest))
        if row.version != reading.version:
            return [f"{title} was changed by somebody else meanwhile: the next run looks again."]
        return _write(session, context, row, title, plan, reading)


@dataclass(frozen=True)
class _Reading:
    """What was read of a source, and in which version of it."""

    version: int
    standing: Standing
    counts: tuple[RuleCount, ...]
    trigger_limit: float


def _read(session: Session, context: JobContext, digest: str) -> _Reading:
    row = session.get(SourceRow, digest)
    since = _learning_since(row, context)
    rows, has_looks = _choose_looked_at(read_sample(session, digest, since, _MAX_PICTURES))
    tested_at = None if row is None else row.tested_at
    recent = rows
    if tested_at is not None:
        recent, _ = _choose_looked_at(
            read_sample(session, digest, max(since, tested_at), _MAX_PICTURES)
        )
    standing = Standing(
        digest,
        Phase.LEARNING if row is None else Phase(row.phase),
        None if row is None else _read_baseline(session, row.baseline_id),
        _read_given(session, digest),
        None if row is None else _read_baseline(session, row.anchor_id),
        tested_at,
        None if row is None else row.learnt_at,
        rows,
        recent,
        has_looks,
    )
    limits = context.settings.learning.alarm_limits()
    band, judged_since = _read_band(row, standing.baseline)
    requests = read_requests(session, digest, since, _MAX_REQUESTS, judged_since)
    trigger_limit = choose_trigger_limit(requests, limits.each, read_trigger_limit(row))
    flags = leave_out_weak(requests, trigger_limit)
    counts = count_rules(flags, read_demoted(session, digest), limits, band)
    return _Reading(0 if row is None else row.version, standing, counts, trigger_limit)


def _read_band(
    row: SourceRow | None, baseline: Baseline | None
) -> tuple[Band | None, datetime | None]:
    """The scores just below the line, and since when they count; nothing while nothing flags."""
    if row is None or baseline is None or row.phase != Phase.IN_FORCE.value:
        return None, None
    return Band.of(baseline), row.since


def _learning_since(row: SourceRow | None, context: JobContext) -> datetime:
    since = context.now - timedelta(days=context.settings.learning.learning_days)
    return since if row is None else max(since, row.learning_since)


def _choose_looked_at(rows: list[SampleRow]) -> tuple[list[SampleRow], bool]:
    """Those that were looked at in full; all of them, if none was: there are no looks then."""
    chosen = [row for row in rows if row.features.get("ensemble_passes", 0) >= _MIN_PASSES]
    return chosen or rows, bool(chosen)


def _read_baseline(session: Session, baseline_id: int | None) -> Baseline | None:
    row = None if baseline_id is None else session.get(BaselineRow, baseline_id)
    return None if row is None else read_baseline_row(row)


def _read_given(session: Session, digest: str) -> Baseline | None:
    """A file that another version wrote, or a row that somebody changed, is no candidate."""
    row = newest_given(session, digest)
    try:
        return None if row is None else read_baseline_row(row)
    except BaselineError as error:
        _log.warning("given baseline passed over", source=digest, why=str(error))
        return None


def _write(
    session: Session,
    context: JobContext,
    row: SourceRow,
    title: str,
    plan: Plan,
    reading: _Reading,
) -> list[str]:
    now = context.now
    learnt_id = None if plan.learnt is None else _keep(session, row, plan, plan.learnt, now)
    changes = keep_counts(
        session, row.digest, reading.counts, context.settings.learning.rule_budget, _ACTOR, now
    )
    sentences = [f"The budget of {code} changed what it does." for code in changes]
    limit_sentence = keep_trigger_limit(session, row, reading.trigger_limit, _ACTOR, now)
    sentences += [] if limit_sentence is None else [limit_sentence]
    if plan.changes:
        take_step(session, row, _step_of(session, row, plan, learnt_id), _ACTOR, now)
        sentences.append(f"{title} is {plan.phase.value}: {plan.why}")
    row.pictures, row.clients, row.why = plan.pictures, plan.clients, plan.why
    if plan.is_tested or plan.learnt is not None:
        row.tested_at = now
    return sentences


def _keep(session: Session, row: SourceRow, plan: Plan, fit: SourceFit, now: datetime) -> int:
    metrics = {"left_out": fit.left_out, "max_entropy": fit.max_entropy, "why": plan.why}
    new = NewBaseline(
        row.digest,
        Origin.LEARNT,
        to_json(fit.baseline),
        fit.rows,
        fit.clients,
        row.baseline_id,
        metrics,
    )
    row.learnt_at = now
    return add_baseline(session, new, _ACTOR, now).id


def _step_of(session: Session, row: SourceRow, plan: Plan, learnt_id: int | None) -> Step:
    baseline_id = learnt_id
    if plan.judge is not None and learnt_id is None:
        baseline_row = newest_given(session, row.digest)
        baseline_id = None if baseline_row is None else baseline_row.id
    return Step(
        plan.phase,
        baseline_id,
        plan.why,
        plan.limits or DEFAULTS,
        plan.max_entropy,
        is_strange=plan.is_strange,
        is_anchor=plan.is_anchor,
    )
