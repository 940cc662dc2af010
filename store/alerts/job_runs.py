"""Job runs: when each job ran, how it ended and how many rows it touched.

The last run is the one that was numbered last: a clock may have been put back since.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.tables.work_tables import JobRunRow

RUNNING, SUCCEEDED, FAILED = "running", "succeeded", "failed"
# There was nothing to work on yet, for example no outlier model: neither a success nor a failure.
SKIPPED = "skipped"


def start_run(session: Session, job: str, now: datetime) -> int:
    """Record that a job begins; returns the run's key."""
    row = JobRunRow(job=job, started_at=now, outcome=RUNNING, rows=0)
    session.add(row)
    session.flush()
    return row.id


def finish_run(
    session: Session, run_id: int, outcome: str, rows: int, message: str | None, now: datetime
) -> None:
    """Record how a run ended."""
    row = session.get_one(JobRunRow, run_id)
    row.outcome, row.rows, row.message, row.finished_at = outcome, rows, message, now


def last_success(session: Session, job: str) -> datetime | None:
    """When a job last began a run that succeeded."""
    return session.scalars(
        select(JobRunRow.started_at)
        .where(JobRunRow.job == job, JobRunRow.outcome == SUCCEEDED)
        .order_by(JobRunRow.id.desc())
        .limit(1)
    ).one_or_none()


def last_outcome(session: Session, job: str) -> JobRunRow | None:
    """The newest run of a job that has ended."""
    return session.scalars(
        select(JobRunRow)
        .where(JobRunRow.job == job, JobRunRow.outcome != RUNNING)
        .order_by(JobRunRow.id.desc())
        .limit(1)
    ).one_or_none()


def fail_interrupted_runs(session: Session, now: datetime) -> int:
    """Close the runs that a process which is gone left open; returns how many there were."""
    rows = session.execute(
        update(JobRunRow)
        .where(JobRunRow.outcome == RUNNING)
        .values(
            outcome=FAILED,
            finished_at=now,
            message="The run was interrupted: its process stopped before it was done.",
        )
        .returning(JobRunRow.id)
    ).all()
    return len(rows)
