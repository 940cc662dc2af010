"""The schedule: the catalogue's jobs in APScheduler, which follows the time of day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from jobs.catalogue import JOBS, Job, job_named
from jobs.catch_up import retrain_is_due
from jobs.context import JobContext
from jobs.executor import DaemonExecutor
from jobs.intervals import Interval
from jobs.runs import log_faults, run_quietly
from jobs.settings import JobSettings

ContextNow = Callable[[], JobContext]
"""What a run works with; raises where none may begin."""

# A nightly run that is late, for example after the machine slept, still counts.
_MISFIRE_GRACE_SECONDS = 3600
_MIN_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Schedule:
    """When each job of the catalogue runs; built, but not started."""

    scheduler: BackgroundScheduler
    settings: JobSettings
    context_now: ContextNow

    def begin_anew(self) -> None:
        """Forget what was due; every interval job runs at once, the nightly one at its hour."""
        for job in JOBS:
            # Made here: a trigger of an interval remembers when it was made.
            if job.trigger is not None:
                self._add(job, job.trigger(self.settings))

    def pause(self) -> None:
        """Begin no further run."""
        self.scheduler.pause()

    def resume(self) -> None:
        """Go on, as after a start."""
        self.begin_anew()
        self.scheduler.resume()

    def _add(self, job: Job, trigger: BaseTrigger) -> None:
        at_once = isinstance(trigger, Interval)
        # It still counts however late it is: by the new time of a clock that stepped, all are late.
        first = {"next_run_time": datetime.now(UTC), "misfire_grace_time": None} if at_once else {}
        self.scheduler.add_job(
            *(run_chain, trigger),
            id=job.name,
            args=(job, self.context_now),
            replace_existing=True,
            **first,
        )


def build_schedule(settings: JobSettings, context_now: ContextNow) -> Schedule:
    """The catalogue's jobs; every interval job runs at once."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": DaemonExecutor()},
        job_defaults={
            "coalesce": True,
            "max_instances": 1,
            "misfire_grace_time": _MISFIRE_GRACE_SECONDS,
        },
    )
    schedule = Schedule(scheduler, settings, context_now)
    schedule.begin_anew()
    return schedule


def max_idle_seconds(settings: JobSettings) -> float:
    """Three of the shortest intervals, at least a minute: longer without a run is not usual."""
    triggers = (job.trigger(settings) for job in JOBS if job.trigger is not None)
    intervals = [t.interval_length for t in triggers if isinstance(t, Interval)]
    return float(max(_MIN_IDLE_SECONDS, 3 * min(intervals)))


def run_chain(job: Job, context_now: ContextNow) -> None:
    """Run a job and the one that follows it; the scan first sees whether a training is due."""
    with log_faults(job.name):
        if job.name == "scan":
            _catch_up(context_now)
        run_quietly(job.name, job.run, context_now())
    if job.followed_by is not None:
        run_chain(job_named(job.followed_by), context_now)


def _catch_up(context_now: ContextNow) -> None:
    with log_faults("retrain"):
        if retrain_is_due(context_now()):
            run_chain(job_named("retrain"), context_now)
