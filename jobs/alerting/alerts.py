"""Alert rules: pure functions from counts to conditions, and the job that applies them."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from jobs.alerting.rules.attacking_client import list_client_conditions
from jobs.alerting.rules.clock_stepped import quiet_conditions
from jobs.alerting.rules.disk_low import disk_condition, disk_fingerprint
from jobs.alerting.rules.recurring_patch import patch_condition
from jobs.alerting.rules.spool_in_use import spool_condition
from jobs.context import JobContext, JobOutcome
from jobs.settings import JobSettings
from store.alerts.alerts import (
    CRITICAL,
    NO_TECHNIQUE,
    WARNING,
    Condition,
    apply_condition,
    open_fingerprints,
)
from store.alerts.job_runs import FAILED, last_outcome
from store.counts.client_counts import count_clients
from store.counts.invalid_requests import (
    InvalidRequests,
    InvalidShare,
    invalid_requests,
    invalid_share,
)
from store.counts.periods import Period
from store.decisions.listed_patches import list_new_patches
from store.engine.disk_room import DiskRoom, rooms_of
from store.engine.locks import take_turn
from store.models.loaded_models import this_host
from store.phrases import phrase_count, phrase_share
from store.spool.spool import NotRecorded, Spool
from store.tables.work_tables import JobRunRow

_log = structlog.get_logger(__name__)

INVALID_SHARE, JOB_FAILED = "invalid_share", "job_failed"
# A job that sends mail cannot tell by mail that it fails; its runs and its outbox show it.
WATCHED_JOBS = (
    *("scan", "decide", "evaluate_alerts", "find_patches", "retrain", "integrity", "roll_up"),
    *("prune", "anchor_audit"),
)
WINDOW_HOURS = 24
# An open alert closes only clearly below its threshold, or it would flap on the border.
RESOLVE_BELOW = 0.8
_MAX_LISTED = 5


@dataclass(frozen=True)
class ShareLimits:
    """Where the share of invalid requests becomes an alert."""

    warning: float
    critical: float
    min_requests: int
    min_clients: int

    @classmethod
    def of(cls, settings: JobSettings) -> "ShareLimits":
        """The limits of the settings."""
        return cls(
            settings.alerts.invalid_share_threshold,
            settings.alerts.invalid_share_critical,
            settings.alerts.alert_min_requests,
            settings.alerts.alert_min_clients,
        )


def run(context: JobContext) -> JobOutcome:
    """The job ``evaluate_alerts``."""
    # Read before, for no transaction should wait for files.
    spool_conditions, rooms = list(_spool_conditions(context)), _disk_rooms(context)
    with context.database.write() as session:
        take_turn(session, "alerts")
        before = open_fingerprints(session)
        host_conditions = [*spool_conditions, *_disk_conditions(rooms, context, before)]
        conditions = [*_conditions(session, context, before), *host_conditions]
        for condition in conditions:
            apply_condition(session, condition, context.now)
        after = open_fingerprints(session)
    fire_count, resolve_count = len(after - before), len(before - after)
    return JobOutcome(
        f"{phrase_count(fire_count, 'alert')} fired, {resolve_count} resolved, {len(after)} open.",
        fire_count + resolve_count,
    )


def invalid_share_condition(
    counts: InvalidShare,
    clients: int,
    examples: InvalidRequests,
    limits: ShareLimits,
    is_open: bool,
) -> Condition:
    """Too many requests were refused by the gate or flagged by a rule.

    Args:
        clients: how many clients there were.
        is_open: whether the alert fires already; it then closes at a lower share.
    """
    critical = counts.share > limits.critical
    limit = limits.critical if critical else limits.warning
    enough = counts.total >= limits.min_requests and clients >= limits.min_clients
    above = counts.share > (RESOLVE_BELOW * limits.warning if is_open else limits.warning)
    return Condition(
        fingerprint=INVALID_SHARE,
        rule=INVALID_SHARE,
        severity=CRITICAL if critical else WARNING,
        active=enough and above,
        value=counts.share,
        threshold=limit,
        summary=(
            f"{phrase_share(counts.share)} of the last {phrase_count(counts.total, 'request')} in "
            f"{WINDOW_HOURS} hours were refused or flagged (limit {phrase_share(limit)})."
        ),
        atlas="AML.T0043",
        owasp="ML01:2023",
        evidence={
            "requests": counts.total,
            "invalid": counts.invalid,
            "window_hours": WINDOW_HOURS,
            "reasons": [list(entry) for entry in examples.reasons],
            "clients": [list(entry) for entry in examples.clients],
            "request_ids": list(examples.request_ids),
        },
    )


def job_failed_condition(last: JobRunRow) -> Condition:
    """The last run of a job failed."""
    has_failed = last.outcome == FAILED
    moment = f"{last.started_at:%d %b %Y %H:%M} UTC"
    return Condition(
        fingerprint=f"{JOB_FAILED}:{last.job}",
        rule=JOB_FAILED,
        severity=WARNING,
        active=has_failed,
        value=float(has_failed),
        threshold=0.0,
        summary=(
            f"The job {last.job} failed at {moment}. {last.message or ''}".strip()
            if has_failed
            else f"The job {last.job} ran at {moment} without failing."
        ),
        atlas=NO_TECHNIQUE,
        owasp=NO_TECHNIQUE,
        evidence={"job": last.job, "run_id": last.id, "message": last.message},
    )


def _conditions(
    session: Session, context: JobContext, fingerprints: Set[str]
) -> Iterator[Condition]:
    period = Period.until(context.now, timedelta(hours=WINDOW_HOURS))
    # First, so that the first mail of an evening names who attacks.
    yield from list_client_conditions(session, context)
    yield invalid_share_condition(
        invalid_share(session, period),
        count_clients(session, period),
        invalid_requests(session, period, _MAX_LISTED),
        ShareLimits.of(context.settings),
        INVALID_SHARE in fingerprints,
    )
    yield patch_condition(list_new_patches(session, period.since), WINDOW_HOURS)
    yield from quiet_conditions(session, context.now)
    for name in WATCHED_JOBS:
        last = last_outcome(session, name)
        if last is not None:
            yield job_failed_condition(last)


def _spool_conditions(context: JobContext) -> Iterator[Condition]:
    """None where this user may not look into the spool: the other rules must go on."""
    var_dir = context.settings.store.var_dir
    try:
        yield spool_condition(Spool(var_dir).backlog(), this_host(), var_dir)
    except NotRecorded as error:
        _log.warning("spool not looked at", why=str(error))


def _disk_rooms(context: JobContext) -> tuple[DiskRoom, ...]:
    """None where this user may not look: the other rules must go on."""
    try:
        return rooms_of(context.settings.store.var_dir, context.database.file)
    except OSError as error:
        _log.warning("disk not looked at", why=str(error))
        return ()


def _disk_conditions(
    rooms: Sequence[DiskRoom], context: JobContext, is_open: Set[str]
) -> Iterator[Condition]:
    host, least = this_host(), context.settings.store.min_free_disk_bytes
    for room in rooms:
        yield disk_condition(room, host, least, is_open=disk_fingerprint(host, room) in is_open)
