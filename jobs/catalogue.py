"""The jobs: their names, what they do and when. Defined here and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from apscheduler.triggers.base import BaseTrigger

from detectors.errors import MaskwatchError
from jobs.alerting import alerts, integrity, notify
from jobs.baselines import learn_baseline
from jobs.blocking import decide, find_patches, find_perturbations
from jobs.context import JobFunction
from jobs.intervals import Interval, every
from jobs.keeping import anchor_audit, expire_fingerprints, prune, roll_up
from jobs.outliers import group_families, retrain, scan, train_reranker, watch_drift
from jobs.outliers.nightly import nightly
from jobs.settings import JobSettings


class UnknownJob(MaskwatchError):
    """There is no job of that name."""


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        purpose: what it does, in one sentence.
        trigger: when the scheduler runs it; ``None`` for a job that only follows another.
        followed_by: a job that runs right after it, however it ended.
    """

    name: str
    purpose: str
    run: JobFunction
    trigger: Callable[[JobSettings], BaseTrigger] | None
    followed_by: str | None = None


JOBS: tuple[Job, ...] = (
    Job(
        "scan",
        "Score new records once and record the outliers.",
        scan.run,
        lambda s: every(s.schedule.scan_interval_seconds),
        followed_by="group_families",
    ),
    Job(
        "group_families",
        "Group outliers and findings that belong together into families.",
        group_families.run,
        None,
        followed_by="decide",
    ),
    Job("decide", "Decide which clients to block.", decide.run, None),
    Job(
        "evaluate_alerts",
        "Compare the thresholds with the records; fire and resolve alerts.",
        alerts.run,
        lambda s: every(s.schedule.alert_interval_seconds),
    ),
    Job(
        "integrity",
        "Compare the model files on this host with what its services loaded.",
        integrity.run,
        lambda s: every(s.schedule.integrity_interval_seconds),
    ),
    Job(
        "expire_fingerprints",
        "Forget the fingerprints of pictures that are beyond their window.",
        expire_fingerprints.run,
        lambda s: every(s.schedule.expire_interval_seconds),
    ),
    Job(
        "find_patches",
        "Look for a patch that recurs in flagged pictures and put it on the blacklist.",
        find_patches.run,
        lambda s: every(s.schedule.patch_interval_seconds),
    ),
    Job(
        "find_perturbations",
        "Look for a noise that recurs in flagged pictures and put it on the blacklist.",
        find_perturbations.run,
        lambda s: every(s.schedule.perturbation_interval_seconds),
    ),
    Job(
        "learn_baseline",
        "Learn from the traffic what is normal for each source, and count the alarm budgets.",
        learn_baseline.run,
        lambda s: every(s.schedule.learn_interval_seconds),
    ),
    Job(
        "watch_drift",
        "Compare each source's newest traffic with what the outlier model learnt from.",
        watch_drift.run,
        lambda s: every(s.schedule.drift_interval_seconds),
    ),
    Job(
        "anchor_audit",
        "See that the audit's last anchor holds, and anchor its newest row.",
        anchor_audit.run,
        lambda s: every(s.schedule.anchor_interval_seconds),
    ),
    Job(
        "roll_up",
        "Count new records by minute, hour and day.",
        roll_up.run,
        lambda s: every(s.schedule.roll_up_interval_seconds),
    ),
    Job(
        "prune",
        "Remove records and pictures that are too old, and files that no record refers to.",
        prune.run,
        lambda s: every(s.schedule.prune_interval_seconds),
    ),
    Job(
        "notify",
        "Send what waits in the outbox.",
        notify.run,
        lambda s: every(s.schedule.notify_interval_seconds),
    ),
    Job(
        "retrain",
        "Train an outlier model on clean records and promote it if it holds up.",
        retrain.run,
        nightly,
        followed_by="train_reranker",
    ),
    Job(
        "train_reranker",
        "Learn from feedback what to list first, and put that in force if it ranks better.",
        train_reranker.run,
        None,
    ),
)
_BY_NAME = {job.name: job for job in JOBS}


def job_named(name: str) -> Job:
    """The job of a name; ``evaluate-alerts`` and ``evaluate_alerts`` are the same.

    Raises:
        UnknownJob: with the nearest name, and all that exist.
    """
    job = _BY_NAME.get(name.replace("-", "_"))
    if job is None:
        nearest = get_close_matches(name, _BY_NAME, n=1)
        hint = f" Did you mean {nearest[0]}?" if nearest else ""
        raise UnknownJob(f"There is no job {name!r}.{hint} The jobs are {', '.join(_BY_NAME)}.")
    return job


def describe_schedule(job: Job, settings: JobSettings) -> str:
    """When the scheduler runs a job, in words."""
    if job.trigger is None:
        leader = next(other.name for other in JOBS if other.followed_by == job.name)
        return f"after {leader}"
    trigger = job.trigger(settings)
    if isinstance(trigger, Interval):
        return f"every {trigger.interval / timedelta(seconds=1):g} s"
    schedule = settings.schedule
    late = schedule.retrain_jitter_minutes
    within = f", up to {late} minutes later" if late else ""
    return f"daily at {schedule.retrain_hour}:00 {schedule.retrain_time_zone}{within}"
