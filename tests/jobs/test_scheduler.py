from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from jobs.catalogue import JOBS, job_named
from jobs.context import JobContext
from jobs.leader import AlreadyRunning, leadership
from jobs.schedule import build_schedule, run_chain
from jobs.scheduler import run
from jobs.settings import JobSettings
from store.alerts.alerts import apply_condition
from store.alerts.job_runs import FAILED, RUNNING, SKIPPED, SUCCEEDED, start_run
from store.engine.database import Database
from store.tables.work_tables import JobRunRow
from tests.jobs.leading import PATIENT, SHORT, leading
from tests.makers import make_condition
from tests.waiting import PATIENCE_SECONDS, wait_for

RunsOf = Callable[[str], list[JobRunRow]]
# A second run of a job comes long after a test, however slow that is.
_ONCE = {f"{name}_interval_seconds": 86_400 for name in ("scan", "alert", "integrity", "notify")}


@pytest.fixture
def runs_of(database: Database) -> RunsOf:
    """The ended runs of a job, oldest first."""

    def ended(job: str) -> list[JobRunRow]:
        with database.read() as session:
            query = select(JobRunRow).where(JobRunRow.job == job, JobRunRow.outcome != RUNNING)
            return list(session.scalars(query.order_by(JobRunRow.id)))

    return ended


@contextmanager
def running(settings: JobSettings) -> Iterator[None]:
    """The scheduler in a thread, far from its nightly run; it has stopped after the block."""
    stop, far = Event(), (datetime.now(UTC) + timedelta(hours=12)).hour
    settings = settings.model_copy(update={"retrain_hour": far})
    thread = Thread(target=run, args=(settings, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def outcomes(runs: list[JobRunRow]) -> list[str]:
    return [row.outcome for row in runs]


def no_context() -> JobContext:
    raise AssertionError("a scheduler that is only built must not run a job")


def test_it_schedules_the_catalogue_and_retrains_at_the_hour_of_the_settings() -> None:
    settings = JobSettings(scan_interval_seconds=11, retrain_hour=4, retrain_jitter_minutes=0)
    before = datetime.now(UTC)
    jobs = {job.id: job for job in build_schedule(settings, no_context).scheduler.get_jobs()}
    following = {"group_families", "decide", "train_reranker"}
    assert set(jobs) == {job.name for job in JOBS} - following
    assert jobs["scan"].trigger.interval == timedelta(seconds=11)
    assert jobs["evaluate_alerts"].trigger.interval == timedelta(seconds=60)
    assert jobs["notify"].trigger.interval == timedelta(seconds=30)
    assert jobs["integrity"].trigger.interval == timedelta(seconds=300)
    for name in ("scan", "evaluate_alerts", "integrity", "notify"):
        assert before <= jobs[name].next_run_time <= datetime.now(UTC)
    for start, due in ((3, 2), (5, 3)):
        moment = datetime(2026, 3, 2, start, 30, tzinfo=UTC)
        next_time = jobs["retrain"].trigger.get_next_fire_time(None, moment)
        assert next_time == datetime(2026, 3, due, 4, 0, tzinfo=UTC)


def test_however_much_was_missed_is_one_run_that_still_counts() -> None:
    """A machine without a battery begins in 1970 until a time service puts its clock forward."""
    far = datetime.now(UTC) + timedelta(days=56 * 365, seconds=0.5)
    for job in build_schedule(JobSettings(), no_context).scheduler.get_jobs():
        if job.id == "retrain":
            continue
        following = job.trigger.get_next_fire_time(job.next_run_time, far)
        assert far < following <= far + job.trigger.interval
        assert (following - job.next_run_time) % job.trigger.interval == timedelta(0)
        assert job.misfire_grace_time is None


@pytest.mark.parametrize("store_settings", ["sqlite", "postgresql", "pgbouncer"], indirect=True)
def test_it_runs_each_interval_job_at_once_and_stops(
    settings: JobSettings, database: Database, runs_of: RunsOf
) -> None:
    began = datetime.now(UTC)
    with capture_logs() as logs, running(settings.model_copy(update=_ONCE)):
        wait_for(
            lambda: all(
                runs_of(job) for job in ("scan", "decide", "evaluate_alerts", "integrity", "notify")
            )
        )
    (silent,) = (log for log in logs if log["event"].startswith("no mail server is set"))
    assert silent["folder"] == str(settings.mail_dir)
    # Without a model there is nothing to scan; without records none is trained.
    for job in ("scan", "integrity"):
        assert outcomes(runs_of(job)) == [SKIPPED]
    for job in ("decide", "evaluate_alerts", "notify"):
        [row] = runs_of(job)
        assert row.outcome == SUCCEEDED
        assert row.finished_at is not None
        assert began <= row.started_at <= row.finished_at
    assert runs_of("retrain") == []
    with leadership(database, Event(), SHORT):
        pass


def test_a_second_scheduler_is_refused_and_touches_nothing(
    settings: JobSettings, database: Database
) -> None:
    with leading(database):
        with database.write() as session:
            run_id = start_run(session, "scan", datetime.now(UTC))
        with pytest.raises(AlreadyRunning):
            run(settings, Event(), PATIENT)
        with database.read() as session:
            assert session.get_one(JobRunRow, run_id).outcome == RUNNING


def test_at_its_start_it_closes_the_runs_that_were_interrupted(
    settings: JobSettings, database: Database, now: datetime, runs_of: RunsOf
) -> None:
    with database.write() as session:
        start_run(session, "retrain", now)
    with running(settings):
        wait_for(lambda: bool(runs_of("retrain")))
    [row] = runs_of("retrain")
    assert row.outcome == FAILED
    assert row.finished_at is not None
    assert row.message == "The run was interrupted: its process stopped before it was done."


def test_a_job_that_fails_is_recorded_and_does_not_stop_the_others(
    settings: JobSettings,
    database: Database,
    now: datetime,
    runs_of: RunsOf,
) -> None:
    with database.write() as session:
        # No rule has this fingerprint: the job that evaluates them leaves the alert alone.
        apply_condition(session, make_condition(fingerprint="another"), now)
    settings.mail_dir.write_text("A file stands in the way.")
    with running(settings.model_copy(update=_ONCE | {"notify_interval_seconds": 1})):
        wait_for(lambda: len(runs_of("notify")) >= 2 and bool(runs_of("evaluate_alerts")))
    failed, after, *_ = runs_of("notify")
    assert failed.outcome == FAILED
    assert failed.message is not None
    assert failed.message.startswith("The mail cannot be written to")
    assert "\n" not in failed.message
    assert after.outcome == SUCCEEDED
    assert outcomes(runs_of("evaluate_alerts")) == [SUCCEEDED]


@pytest.mark.usefixtures("few_trees")
def test_a_missing_model_is_made_before_the_scan_and_decisions_follow_even_a_failed_one(
    context: JobContext, traffic: Any, runs_of: RunsOf
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run_chain(job_named("scan"), lambda: context)
    [retrained], [scanned], [decided] = map(runs_of, ("retrain", "scan", "decide"))
    assert outcomes([retrained, scanned, decided]) == [SUCCEEDED] * 3
    assert retrained.id < scanned.id < decided.id
    assert scanned.rows == 40
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    archive.write_bytes(archive.read_bytes() + b" ")
    run_chain(job_named("scan"), lambda: context)
    assert outcomes(runs_of("scan")) == [SUCCEEDED, FAILED]
    assert outcomes(runs_of("decide")) == [SUCCEEDED, SUCCEEDED]
    assert len(runs_of("retrain")) == 1


@pytest.mark.usefixtures("few_trees")
def test_a_model_of_an_earlier_version_is_replaced_before_the_scan(
    context: JobContext, traffic: Any, runs_of: RunsOf
) -> None:
    traffic.clean("ip:203.0.113.1", 40)
    run_chain(job_named("scan"), lambda: context)
    [archive] = (context.settings.store.var_dir / "models").rglob("*.safetensors")
    former = archive.rename(archive.with_suffix(".skops"))
    traffic.clean("ip:203.0.113.2", 5)
    run_chain(job_named("scan"), lambda: context)
    assert outcomes(runs_of("retrain")) == outcomes(runs_of("scan")) == [SUCCEEDED] * 2
    assert [row.rows for row in runs_of("scan")] == [40, 5]
    assert former.exists()
