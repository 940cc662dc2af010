from datetime import datetime, timedelta

from store.alerts.job_runs import (
    FAILED,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    fail_interrupted_runs,
    finish_run,
    last_outcome,
    last_success,
    start_run,
)
from store.engine.database import Database
from store.pages.overview import job_health

MINUTE = timedelta(minutes=1)


def _run(database: Database, job: str, at: datetime, outcome: str | None) -> int:
    with database.write() as session:
        run = start_run(session, job, at)
        if outcome is not None:
            finish_run(session, run, outcome, 7, f"It {outcome}.", at + MINUTE)
    return run


def test_a_job_that_never_ran_has_no_history(database: Database) -> None:
    with database.read() as session:
        assert last_success(session, "scan") is None
        assert last_outcome(session, "scan") is None
        assert job_health(session) == ()


def test_each_question_about_the_past_has_its_own_answer(database: Database, now: datetime) -> None:
    _run(database, "scan", now, SUCCEEDED)
    _run(database, "scan", now + MINUTE, SKIPPED)
    failed = _run(database, "scan", now + 2 * MINUTE, FAILED)
    _run(database, "scan", now + 3 * MINUTE, None)
    _run(database, "retrain", now + 9 * MINUTE, SUCCEEDED)
    with database.read() as session:
        assert last_success(session, "scan") == now
        finished = last_outcome(session, "scan")
    assert finished is not None
    assert (finished.id, finished.outcome, finished.rows) == (failed, FAILED, 7)
    assert (finished.message, finished.finished_at) == ("It failed.", now + 3 * MINUTE)


def test_runs_of_a_process_that_is_gone_are_closed_as_failed(
    database: Database, now: datetime
) -> None:
    _run(database, "retrain", now, SUCCEEDED)
    _run(database, "scan", now, None)
    with database.write() as session:
        assert fail_interrupted_runs(session, now + MINUTE) == 1
        assert fail_interrupted_runs(session, now + MINUTE) == 0
    with database.read() as session:
        [retrain, scan] = job_health(session)
    assert (retrain.outcome, retrain.message) == (SUCCEEDED, "It succeeded.")
    assert (scan.outcome, scan.finished_at) == (FAILED, now + MINUTE)
    assert "interrupted" in str(scan.message)


def test_health_is_the_latest_run_of_each_job(database: Database, now: datetime) -> None:
    _run(database, "scan", now, FAILED)
    _run(database, "scan", now + MINUTE, None)
    _run(database, "decide", now, SUCCEEDED)
    with database.read() as session:
        health = [(job.job, job.outcome, job.finished_at) for job in job_health(session)]
    assert health == [("decide", SUCCEEDED, now + MINUTE), ("scan", RUNNING, None)]


def test_the_latest_run_is_the_one_that_began_last_though_the_clock_was_put_back(
    database: Database, now: datetime
) -> None:
    _run(database, "scan", now, SUCCEEDED)
    _run(database, "scan", now + MINUTE, FAILED)
    _run(database, "scan", now - 60 * MINUTE, SUCCEEDED)
    with database.read() as session:
        finished = last_outcome(session, "scan")
        [health] = job_health(session)
        assert last_success(session, "scan") == now - 60 * MINUTE
    assert finished is not None
    assert finished.outcome == health.outcome == SUCCEEDED
