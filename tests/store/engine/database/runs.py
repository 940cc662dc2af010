"""Runs of jobs as rows to write, and to count."""

from datetime import datetime

from sqlalchemy import func, select

from store.alerts.job_runs import start_run
from store.engine.database import Database
from store.tables.work_tables import JobRunRow


def count_runs(database: Database) -> dict[str, int]:
    counted = select(JobRunRow.job, func.count()).group_by(JobRunRow.job)
    with database.read() as session:
        return {job: count for job, count in session.execute(counted)}  # noqa: C416


def write_run(database: Database, job: str, now: datetime) -> None:
    with database.write() as session:
        start_run(session, job, now)
