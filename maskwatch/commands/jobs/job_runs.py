"""``maskwatch jobs status``: the latest run of each job, as the dashboard's overview has it."""

import json
from dataclasses import asdict
from datetime import datetime

from maskwatch.commands.printable import escape_unprintable
from store.engine.existing import existing_database
from store.pages.overview import JobHealth, job_health
from store.settings import StoreSettings


def list_latest_runs(settings: StoreSettings) -> tuple[JobHealth, ...]:
    """The latest run of every job that ever ran, by name.

    Raises:
        MaskwatchError: the database cannot be used.
    """
    with existing_database(settings) as database, database.read() as session:
        return job_health(session)


def to_json(run: JobHealth) -> str:
    """One JSON object; times in ISO 8601, UTC."""
    return json.dumps(asdict(run), default=datetime.isoformat)


def to_text(run: JobHealth) -> str:
    """One line for people."""
    start = f"{run.started_at:%Y-%m-%d %H:%M:%S}"
    text = f"{run.job:<20} {run.outcome:<10} {start} UTC  {run.message or ''}"
    return escape_unprintable(text.rstrip())
