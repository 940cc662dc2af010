"""The one-shot commands: one job, once, in this process; and what one would do."""

from collections.abc import Callable, Iterator
from datetime import datetime

from jobs.blocking.decide import preview_enforcement
from jobs.catalogue import job_named
from jobs.context import JobContext, JobOutcome
from jobs.runs import record_run
from jobs.settings import JobSettings
from store.decisions.decisions import NewDecision
from store.engine.database import Database
from store.engine.existing import StoreMissing, existing_database
from store.engine.schema.versions import ensure_current


def run_chain_once(
    name: str, settings: JobSettings, read_clock: Callable[[], datetime]
) -> Iterator[JobOutcome]:
    """Run a job, then the one that always follows it, as the scheduler does.

    Raises:
        UnknownJob: there is no job of that name.
        MaskwatchError: why a job failed; what follows it does not run.
    """
    following: str | None = name
    while following is not None:
        job = job_named(following)
        yield run_once(job.name, settings, read_clock())
        following = job.followed_by


def run_once(name: str, settings: JobSettings, now: datetime) -> JobOutcome:
    """Run one job and record the run; ``sentence`` of the outcome can be printed.

    Raises:
        UnknownJob: there is no job of that name.
        MaskwatchError: why the job failed.
    """
    job = job_named(name)
    database = Database.open(settings, settings.schedule.job_timeout_seconds)
    try:
        ensure_current(database)
        return record_run(job.name, job.run, JobContext(database, settings, now))
    finally:
        database.close()


def preview_blocks(settings: JobSettings, now: datetime) -> list[NewDecision]:
    """Whom the next ``decide`` would block if blocks were enforced; nothing is decided.

    Raises:
        MaskwatchError: the database cannot be read, or its schema is another one's.
    """
    try:
        with existing_database(settings) as database:
            return preview_enforcement(JobContext(database, settings, now))
    except StoreMissing:
        # Nobody has sent anything yet: the database is made at the first start.
        return []
