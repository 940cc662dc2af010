import pytest
from sqlalchemy import select

from jobs.context import JobContext, JobOutcome, Skipped
from jobs.runs import record_run, run_quietly
from store.alerts.job_runs import FAILED, RUNNING, SKIPPED, SUCCEEDED
from store.engine.database import StoreUnavailable
from store.tables.work_tables import JobRunRow


def runs(context: JobContext) -> list[JobRunRow]:
    with context.database.read() as session:
        return list(session.scalars(select(JobRunRow).order_by(JobRunRow.id)))


def work(context: JobContext) -> JobOutcome:
    assert [run.outcome for run in runs(context)] == [RUNNING]
    return JobOutcome("Three rows are better now.", 3)


def break_down(_context: JobContext) -> JobOutcome:
    raise ValueError("A number is odd.\nAnd a second line.")


def lose_the_database(_context: JobContext) -> JobOutcome:
    raise StoreUnavailable("The database is away.")


def have_nothing_to_do(_context: JobContext) -> JobOutcome:
    raise Skipped("There is nothing to learn from yet.")


def test_a_run_is_open_while_the_job_works_and_keeps_its_outcome(context: JobContext) -> None:
    assert record_run("scan", work, context) == JobOutcome("Three rows are better now.", 3)
    [run] = runs(context)
    assert (run.job, run.outcome, run.rows) == ("scan", SUCCEEDED, 3)
    assert run.message == "Three rows are better now."
    assert run.started_at == context.now
    assert run.finished_at is not None
    assert run.finished_at >= run.started_at


def test_an_unexpected_fault_is_recorded_in_one_sentence_and_raised(context: JobContext) -> None:
    with pytest.raises(ValueError, match="A number is odd"):
        record_run("scan", break_down, context)
    [run] = runs(context)
    assert run.outcome == FAILED
    assert run.finished_at is not None
    assert run.message == "The job scan met an unexpected fault (ValueError: A number is odd)."


def test_an_error_of_our_own_is_recorded_in_its_own_words(context: JobContext) -> None:
    with pytest.raises(StoreUnavailable):
        record_run("scan", lose_the_database, context)
    assert [(run.outcome, run.message) for run in runs(context)] == [
        (FAILED, "The database is away.")
    ]


def test_having_nothing_to_work_on_is_not_a_failure(context: JobContext) -> None:
    outcome = record_run("retrain", have_nothing_to_do, context)
    assert outcome == JobOutcome("There is nothing to learn from yet.", is_skipped=True)
    assert [(run.outcome, run.message) for run in runs(context)] == [
        (SKIPPED, "There is nothing to learn from yet.")
    ]


def test_for_the_scheduler_a_fault_is_recorded_but_not_raised(context: JobContext) -> None:
    run_quietly("scan", break_down, context)
    run_quietly("scan", lose_the_database, context)
    assert [run.outcome for run in runs(context)] == [FAILED, FAILED]
