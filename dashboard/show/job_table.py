"""The health of the scheduled jobs."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup, escape

from dashboard.show import markup, words
from dashboard.show.markup import Column, Tone
from store.alerts.job_runs import FAILED, RUNNING, SKIPPED
from store.pages.overview import JobHealth


def job_table(jobs: Sequence[JobHealth], now: datetime) -> None:
    """One line per job; a failure with its message."""
    if not jobs:
        markup.empty("No job has run yet", "Start them with `maskwatch jobs` or `maskwatch up`.")
        return
    columns = [
        Column("Job"),
        Column("Outcome", "nowrap"),
        Column("Rows", "right"),
        Column("Took", "right nowrap"),
        Column("Started", "right nowrap"),
    ]
    markup.table(columns, [_line(job, now) for job in jobs])


def _line(job: JobHealth, now: datetime) -> tuple[str, ...]:
    start = words.ago(job.started_at, now)
    return (_name(job), _outcome(job), words.number(job.rows), _duration(job), start)


def _name(job: JobHealth) -> Markup:
    name = escape(words.label(job.job))
    has_failed = job.outcome == FAILED and job.message
    return markup.stack(name, job.message or "") if has_failed else name


def _outcome(job: JobHealth) -> Markup:
    if job.outcome == RUNNING:
        return markup.badge("Running", Tone.INFO)
    if job.outcome == FAILED:
        return markup.badge("✕ Failed", Tone.BAD)
    if job.outcome == SKIPPED:
        return markup.badge("Nothing to do", Tone.NONE)
    return markup.badge("✓ Succeeded", Tone.GOOD)


def _duration(job: JobHealth) -> str:
    return words.duration(job.finished_at - job.started_at) if job.finished_at else "–"
