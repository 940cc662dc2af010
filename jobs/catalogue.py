"""The jobs: their names, what they do and when. Defined here and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from detectors.errors import MaskwatchError
from jobs.alerting import alerts, notify
from jobs.alerting.rules import integrity
from jobs.blocking import decide, find_patches
from jobs.context import JobFunction
from jobs.keeping import anchor_audit, expire_fingerprints, prune, roll_up
from jobs.outliers import retrain, scan
from jobs.settings import JobSettings


class UnknownJob(MaskwatchError):
    """There is no job of that name."""


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        trigger: when the scheduler runs it; ``None`` for a job that only follows another.
        followed_by: a job that runs right after it, however it ended.
    """

    name: str
    run: JobFunction
    trigger: Callable[[JobSettings], BaseTrigger] | None
    followed_by: str | None = None


JOBS: tuple[Job, ...] = (
    Job("scan", scan.run, lambda s: _every(s.schedule.scan_interval_seconds), followed_by="decide"),
    Job("decide", decide.run, None),
    Job("evaluate_alerts", alerts.run, lambda s: _every(s.schedule.alert_interval_seconds)),
    Job("integrity", integrity.run, lambda s: _every(s.schedule.integrity_interval_seconds)),
    Job(
        "expire_fingerprints",
        expire_fingerprints.run,
        lambda s: _every(s.schedule.expire_interval_seconds),
    ),
    Job("find_patches", find_patches.run, lambda s: _every(s.schedule.patch_interval_seconds)),
    Job("anchor_audit", anchor_audit.run, lambda s: _every(s.schedule.anchor_interval_seconds)),
    Job("roll_up", roll_up.run, lambda s: _every(s.schedule.roll_up_interval_seconds)),
    Job("prune", prune.run, lambda s: _every(s.schedule.prune_interval_seconds)),
    Job("notify", notify.run, lambda s: _every(s.schedule.notify_interval_seconds)),
    Job(
        "retrain",
        retrain.run,
        lambda s: CronTrigger(hour=s.schedule.retrain_hour_utc, timezone="UTC"),
    ),
)
_BY_NAME = {job.name: job for job in JOBS}


def job_named(name: str) -> Job:
    """The job of a name; ``evaluate-alerts`` and ``evaluate_alerts`` are the same.

    Raises:
        UnknownJob: with the names that exist.
    """
    try:
        return _BY_NAME[name.replace("-", "_")]
    except KeyError:
        names = ", ".join(_BY_NAME)
        raise UnknownJob(f"There is no job {name!r}: the jobs are {names}.") from None


def _every(seconds: int) -> IntervalTrigger:
    return IntervalTrigger(seconds=seconds, timezone="UTC")
