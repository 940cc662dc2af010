"""The alert rule ``job_failed``: the last run of a job failed."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from store.alert_rules.rule import AlertRule, Judgement, Surroundings, Unit, UnitKind
from store.alerts.alerts import NO_TECHNIQUE, WARNING, Condition
from store.alerts.job_runs import FAILED, last_outcome
from store.tables.work_tables import JobRunRow

JOB_FAILED = "job_failed"
# A job that sends mail cannot tell by mail that it fails; its runs and its outbox show it.
WATCHED_JOBS = (
    *("scan", "group_families", "decide", "evaluate_alerts", "integrity", "expire_fingerprints"),
    *("find_patches", "find_perturbations", "learn_baseline", "watch_drift", "anchor_audit"),
    *("roll_up", "prune", "retrain", "train_reranker"),
)


def look_at_runs(_around: Surroundings) -> Judgement:
    """Judge the last finished run of each watched job."""
    return _conditions


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


def _conditions(session: Session) -> Iterator[Condition]:
    for name in WATCHED_JOBS:
        last = last_outcome(session, name)
        if last is not None:
            yield job_failed_condition(last)


RULE = AlertRule(
    code=JOB_FAILED,
    words="Job failed",
    meaning="The last finished run of a job failed.",
    unit=Unit(UnitKind.NUMBER, "1 if it failed"),
    firing=lambda alert: f"job {alert.evidence.get('job')} failed",
    resolved=lambda alert: f"job {alert.evidence.get('job')} runs again",
    next_steps=(
        "Mend what the sentence above names, then run `maskwatch jobs run {job}`.",
        "The alert resolves by itself after the next run that succeeds.",
    ),
    runbook="job_failed",
    look=look_at_runs,
)
