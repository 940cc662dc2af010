"""The job ``prune``: removes what is too old, and makes room for the days to come.

Everything goes in short transactions, oldest first: cut off anywhere, whole requests are gone and
whole ones are left, and the next round goes on from there.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from jobs.context import JobContext, JobOutcome, Skipped
from jobs.keeping.prune_batches import BATCH, RowCounts, batches, in_turn
from jobs.keeping.prune_pictures import prune_evidence
from store.alert_rules.clock_stepped import may_run_ahead
from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from store.counts.roll_ups import read_roll_up_time
from store.engine.day_partitions import is_partitioned, start_of
from store.engine.reader_locks import BeingRead
from store.families.families import forget_members
from store.keeping.retention import (
    DaysInUse,
    days_before,
    drop_old_day,
    forget_job_runs,
    forget_notifications,
    forget_requests,
    forget_sign_ins,
    make_coming_days,
)
from store.models.outlier_models import OutlierModelStore
from store.phrases import phrase_count
from store.requests.fingerprints import forget_fingerprints
from store.requests.request_keys import key_of

_log = structlog.get_logger(__name__)

_A_DAY, _A_YEAR = timedelta(days=1), timedelta(days=365)
# What the sentence names; the log names every table.
_NOUNS = {
    "requests": "record",
    "evidence": "kept picture",
    "orphans": "orphaned file",
    "fingerprints": "fingerprint",
    "sign_ins": "old sign-in",
    "notifications": "old notification",
    "job_runs": "old job run",
    "archives": "old outlier model file",
}
_NO_ROWS = {"days", "freed_bytes"}


class Postponed(Skipped):
    """Somebody reads, or the clock may run ahead: the next round comes."""


def run(context: JobContext) -> JobOutcome:
    """Remove in rounds until nothing old is left, or until somebody reads.

    Raises:
        Postponed: somebody read from the start, or the clock may run ahead.
    """
    _refuse_a_clock_ahead(context)
    _make_days(context)
    totals: Counter[str] = Counter()
    ending = ""
    try:
        for counts in _rounds(context):
            totals.update(counts)
    except (BeingRead, DaysInUse) as error:
        if not totals.total():
            raise Postponed(f"Skipped: {error.because}.") from None
        ending = f" Stopped early: {error.because}."
    _tell(context, totals)
    rows = sum(count for name, count in totals.items() if name not in _NO_ROWS)
    return JobOutcome(_sentence(totals) + ending, rows)


def _refuse_a_clock_ahead(context: JobContext) -> None:
    """By a clock that runs a month ahead, every record is too old."""
    with context.database.read() as session:
        if may_run_ahead(session):
            raise Postponed("Skipped: the clock was put forward; acknowledge the alert to go on.")


def _tell(context: JobContext, counts: RowCounts) -> None:
    """Leave word of what went, table by table."""
    if not any(counts.values()):
        return
    _log.info("pruned", **counts)
    entry = Entry(job("prune"), Action.RETENTION_PRUNED, "records", dict(counts))
    with context.database.write() as session:
        append(session, entry, context.now)


def _sentence(counts: RowCounts) -> str:
    parts = [phrase_count(counts[name], noun) for name, noun in _NOUNS.items() if counts.get(name)]
    if not parts:
        return "Nothing is old enough to be removed."
    freed_bytes = counts.get("freed_bytes", 0)
    space = f"; {freed_bytes / 1e6:.1f} MB of files" if freed_bytes else ""
    return f"Removed {', '.join(parts)}{space}."


def _make_days(context: JobContext) -> None:
    try:
        with context.database.write() as session:
            make_coming_days(session, context.now.date())
    except DaysInUse as error:
        # Two weeks of days are ready: the next rounds have time enough.
        _log.warning("no new days", sentence=str(error))


def _rounds(context: JobContext) -> Iterator[RowCounts]:
    before = _records_before(context)
    # A day that is dropped does not say which files its pictures lie in: they go before it.
    pictures_before = context.now - timedelta(days=context.settings.retention.evidence_days)
    yield from prune_evidence(context, max(before, pictures_before))
    yield from _whole_days(context, before)
    yield from batches(context, lambda s: forget_requests(s, key_of(before), BATCH))
    yield from batches(context, lambda s: {"fingerprints": forget_fingerprints(s, before, BATCH)})
    yield from batches(context, lambda s: {"families": forget_members(s, key_of(before), BATCH)})
    yield from _slow_growth(context)


def _records_before(context: JobContext) -> datetime:
    """Records before this time go: at most a day less than the settings ask for on PostgreSQL.

    What is not counted in the roll-ups yet stays, or it would never be.
    """
    before = context.now - timedelta(days=context.settings.retention.retention_days)
    with context.database.read() as session:
        before = min(before, read_roll_up_time(session))
        return start_of(before.date()) if is_partitioned(session) else before


def _whole_days(context: JobContext, before: datetime) -> Iterator[RowCounts]:
    with context.database.read() as session:
        days = days_before(session, before.date())
    for day in days:
        with in_turn(context) as session:
            count = drop_old_day(session, day)
        yield {"requests": count, "days": 1}


def _slow_growth(context: JobContext) -> Iterator[RowCounts]:
    """What grows slowly beside the records."""
    a_year_ago = context.now - _A_YEAR
    yield from batches(context, lambda s: {"sign_ins": forget_sign_ins(s, context.now - _A_DAY)})
    yield from batches(context, lambda s: {"notifications": forget_notifications(s, a_year_ago)})
    yield from batches(context, lambda s: {"job_runs": forget_job_runs(s, a_year_ago, BATCH)})
    with context.database.read() as session:
        archives = OutlierModelStore(context.settings.store.var_dir).remove_archives(
            session, a_year_ago
        )
    yield {"archives": archives}
