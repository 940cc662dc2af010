"""The one-shot commands: one job, once, in this process; and what one would do."""

from collections.abc import Callable, Iterator
from datetime import datetime

from jobs.blocking.decide import preview_enforcement
from jobs.blocking.plan import Plan
from jobs.catalogue import job_named
from jobs.context import JobContext, JobFunction, JobOutcome, Skipped
from jobs.engines.base import Engine
from jobs.engines.local import LOCAL
from jobs.outliers.scan import preview, run_since
from jobs.runs import record_run
from jobs.settings import JobSettings
from store.engine.database import Database
from store.engine.existing import StoreMissing, existing_database
from store.engine.schema.versions import ensure_current


def run_chain_once(
    name: str, settings: JobSettings, read_clock: Callable[[], datetime]
) -> Iterator[JobOutcome]:
    """Run a job, then those that always follow it, as the scheduler does.

    Raises:
        UnknownJob: there is no job of that name.
        MaskwatchError: why a job failed; what follows it does not run.
    """
    following: str | None = name
    while following is not None:
        job = job_named(following)
        yield run_once(job.name, settings, read_clock())
        following = job.followed_by


def run_scan(
    settings: JobSettings,
    read_clock: Callable[[], datetime],
    since: datetime | None,
    engine: Engine = LOCAL,
) -> Iterator[JobOutcome]:
    """The same for ``scan``, of records that arrived since a time.

    Raises:
        MaskwatchError: why a job failed; what follows it does not run.
    """
    scan = job_named("scan")
    yield _run_recorded(scan.name, lambda c: run_since(c, since, engine), settings, read_clock())
    if scan.followed_by is not None:
        yield from run_chain_once(scan.followed_by, settings, read_clock)


def preview_scan(
    settings: JobSettings, now: datetime, since: datetime | None, engine: Engine = LOCAL
) -> str:
    """What the next scan would find, in one sentence; nothing is written.

    Raises:
        MaskwatchError: the database or the model cannot be read.
    """
    with existing_database(settings) as database:
        try:
            result = preview(JobContext(database, settings, now), since, engine)
        except Skipped as skipped:
            return f"Dry run: {skipped}"
        return f"Dry run: {result.sentence}"


def run_once(name: str, settings: JobSettings, now: datetime) -> JobOutcome:
    """Run one job and record the run; ``sentence`` of the outcome can be printed.

    Raises:
        UnknownJob: there is no job of that name.
        MaskwatchError: why the job failed.
    """
    job = job_named(name)
    return _run_recorded(job.name, job.run, settings, now)


def _run_recorded(
    name: str, function: JobFunction, settings: JobSettings, now: datetime
) -> JobOutcome:
    database = Database.open(settings, settings.schedule.job_timeout_seconds)
    try:
        ensure_current(database)
        return record_run(name, function, JobContext(database, settings, now))
    finally:
        database.close()


def preview_blocks(settings: JobSettings, now: datetime, *scenarios: str) -> Plan:
    """What the next ``decide`` would do if blocks were enforced; nothing is decided.

    Args:
        scenarios: those that somebody is about to turn on; none for all that the setting enforces.

    Raises:
        MaskwatchError: the database cannot be read, or its schema is another one's.
    """
    try:
        with existing_database(settings) as database:
            return preview_enforcement(JobContext(database, settings, now), *scenarios)
    except StoreMissing:
        # Nobody has sent anything yet: the database is made at the first start.
        return Plan((), ())
