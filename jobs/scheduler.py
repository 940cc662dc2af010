"""The scheduler process: runs the catalogue until it is told to stop."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, current_thread, main_thread
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from jobs.catalogue import JOBS, Job, job_named
from jobs.catch_up import retrain_is_due
from jobs.context import JobContext
from jobs.executor import DaemonExecutor
from jobs.leader import leadership
from jobs.runs import log_faults, run_quietly
from jobs.settings import JobSettings
from store.alerts.job_runs import fail_interrupted_runs
from store.engine.database import Database
from store.engine.start import open_database

_log = structlog.get_logger(__name__)

ContextNow = Callable[[], JobContext]
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A run that is late, for example after the machine slept, still counts; runs in between do not.
_MISFIRE_GRACE_SECONDS = 3600


def run(settings: JobSettings, stop: Event | None = None) -> None:
    """Run all jobs until SIGINT, SIGTERM or ``stop``.

    Raises:
        AlreadyRunning: another scheduler works on this database.
        SchemaError: the database is not at the revision of this Maskwatch.
        StoreUnavailable: the database cannot be reached.
    """
    stop = stop or Event()
    database = open_database(settings, settings.schedule.job_timeout_seconds)
    try:
        with leadership(database, settings.store.var_dir), _set_signals(stop):
            _close_interrupted(database)
            scheduler = build_scheduler(
                settings, lambda: JobContext(database, settings, datetime.now(UTC))
            )
            scheduler.start()
            _log.info("scheduler started", jobs=[job.id for job in scheduler.get_jobs()])
            stop.wait()
            scheduler.shutdown()
            _close_interrupted(database)
            _log.info("scheduler stopped")
    finally:
        database.close()


def build_scheduler(settings: JobSettings, context_now: ContextNow) -> BackgroundScheduler:
    """A scheduler with the catalogue's jobs; every interval job runs at once."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": DaemonExecutor()},
        job_defaults={
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": _MISFIRE_GRACE_SECONDS,
        },
    )
    for job in JOBS:
        if job.trigger is not None:
            _schedule(scheduler, job, job.trigger(settings), context_now)
    return scheduler


def run_chain(job: Job, context_now: ContextNow) -> None:
    """Run a job and the one that follows it; the scan first sees whether a training is due."""
    if job.name == "scan":
        _catch_up(context_now())
    run_quietly(job.name, job.run, context_now())
    if job.followed_by is not None:
        run_chain(job_named(job.followed_by), context_now)


def _schedule(
    scheduler: BackgroundScheduler, job: Job, trigger: BaseTrigger, context_now: ContextNow
) -> None:
    at_once = isinstance(trigger, IntervalTrigger)
    first = {"next_run_time": datetime.now(UTC)} if at_once else {}
    scheduler.add_job(run_chain, trigger, id=job.name, args=(job, context_now), **first)


def _catch_up(context: JobContext) -> None:
    with log_faults("retrain"):
        if retrain_is_due(context):
            run_quietly("retrain", job_named("retrain").run, context)


def _close_interrupted(database: Database) -> None:
    with database.write() as session:
        runs = fail_interrupted_runs(session, datetime.now(UTC))
    if runs:
        _log.warning("runs were interrupted", runs=runs)


@contextmanager
def _set_signals(stop: Event) -> Iterator[None]:
    """SIGINT and SIGTERM set the event; only the main thread may listen to signals."""
    if current_thread() is not main_thread():
        yield
        return

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, ask_to_stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
