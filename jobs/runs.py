"""Runs: every run of every job is written down, however it ends."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from time import monotonic

import structlog

from detectors.errors import MaskwatchError
from jobs.context import JobContext, JobFunction, JobOutcome, Skipped
from store.alerts.job_runs import FAILED, SKIPPED, SUCCEEDED, finish_run, start_run
from store.engine.database import StoreUnavailable

_log = structlog.get_logger(__name__)


def record_run(name: str, function: JobFunction, context: JobContext) -> JobOutcome:
    """Run a job and write down how it went; having nothing to work on is an outcome.

    Raises:
        Exception: whatever the job raised, after it was written down.
    """
    start = monotonic()
    with context.database.write() as session:
        run_id = start_run(session, name, context.now)
    try:
        outcome = function(context)
    except Skipped as error:
        outcome = JobOutcome(str(error), is_skipped=True)
    except Exception as error:
        # The job's own error matters more than one about writing it down.
        with suppress(StoreUnavailable):
            _finish(context, run_id, FAILED, JobOutcome(sentence(name, error)), start)
        raise
    _finish(context, run_id, SKIPPED if outcome.is_skipped else SUCCEEDED, outcome, start)
    return outcome


def run_quietly(name: str, function: JobFunction, context: JobContext) -> None:
    """Run a job for the scheduler: its outcome is recorded and logged, nothing is raised."""
    with log_faults(name):
        outcome = record_run(name, function, context)
        _log.info("job done", job=name, rows=outcome.rows, sentence=outcome.sentence)


def sentence(name: str, error: Exception) -> str:
    """An exception in one plain sentence."""
    if isinstance(error, MaskwatchError):
        return str(error)
    first_line = next(iter(str(error).splitlines()), "")[:200].rstrip(".")
    return f"The job {name} met an unexpected fault ({type(error).__name__}: {first_line})."


@contextmanager
def log_faults(name: str) -> Iterator[None]:
    """Log what a block raises instead of raising it."""
    try:
        yield
    except MaskwatchError as error:
        _log.warning("job failed", job=name, sentence=str(error))
    except Exception:  # noqa: BLE001 - the scheduler goes on whatever a job does
        _log.exception("job failed", job=name)


def _finish(
    context: JobContext, run_id: int, outcome: str, result: JobOutcome, start: float
) -> None:
    finished_at = context.now + timedelta(seconds=monotonic() - start)
    with context.database.write() as session:
        finish_run(session, run_id, outcome, result.rows, result.sentence, finished_at)
