"""The health of the scheduled jobs."""

from collections.abc import Sequence
from datetime import datetime

from dashboard.show import markup, words
from dashboard.show.markup import Column, Html, Tone
from store.job_runs import FAILED, RUNNING
from store.overview import JobHealth


def job_table(jobs: Sequence[JobHealth], now: datetime) -> None:
    """One line per job; a failure with its message."""
    if not jobs:
        markup.empty("No job has run yet", "Start them with `maskwatch jobs` or `maskwatch up`.")
        return
    markup.table(
        [
            Column("Job"),
            Column("Outcome"),
            Column("Rows", "right"),
            Column("Started", "nowrap right"),
        ],
        [
            (_name(job), _outcome(job), words.number(job.rows), words.ago(job.started_at, now))
            for job in jobs
        ],
    )


def _name(job: JobHealth) -> Html:
    text = markup.html_of(words.label(job.job))
    if job.outcome != FAILED or not job.message:
        return text
    return Html(f"{text}<br>{markup.quiet(job.message)}")


def _outcome(job: JobHealth) -> Html:
    if job.outcome == RUNNING:
        return markup.badge("Running", Tone.INFO)
    if job.outcome == FAILED:
        return markup.badge("✕ Failed", Tone.BAD)
    took = words.duration(job.finished_at - job.started_at) if job.finished_at else ""
    return markup.joined((markup.badge("✓ Succeeded", Tone.GOOD), markup.quiet(took)))
