import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from jobs.alerting.channels.delivery_errors import DeliveryFailed
from jobs.catalogue import UnknownJob
from jobs.commands import run_chain_once, run_once
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.alerts.alerts import apply_condition
from store.alerts.job_runs import FAILED, SKIPPED, SUCCEEDED
from store.engine.database import Database
from store.tables.work_tables import JobRunRow
from tests.makers import make_condition


def runs(database: Database) -> list[tuple[str, str, str | None]]:
    with database.read() as session:
        rows = session.scalars(select(JobRunRow).order_by(JobRunRow.id))
        return [(row.job, row.outcome, row.message) for row in rows]


def test_a_command_runs_one_job_and_records_it(context: JobContext, traffic: Any) -> None:
    traffic.flagged("ip:198.51.100.9", 4, reason="adversarial_picture")
    outcome = run_once("decide", context.settings, context.now)
    assert outcome.sentence == "Blocked 1 client."
    assert runs(context.database) == [("decide", SUCCEEDED, "Blocked 1 client.")]


@pytest.mark.parametrize("name", ["evaluate-alerts", "evaluate_alerts"])
def test_a_hyphen_and_an_underscore_name_the_same_job(context: JobContext, name: str) -> None:
    run_once(name, context.settings, context.now)
    assert [job for job, _, _ in runs(context.database)] == ["evaluate_alerts"]


def test_an_unknown_name_is_answered_with_the_names_that_exist(context: JobContext) -> None:
    expected = "There is no job 'scam'. Did you mean scan? The jobs are scan, group_families"
    with pytest.raises(UnknownJob, match=re.escape(expected)) as caught:
        run_once("scam", context.settings, context.now)
    assert str(caught.value).endswith(
        "expire_fingerprints, find_patches, find_perturbations, learn_baseline, watch_drift, "
        "anchor_audit, roll_up, prune, notify, retrain, train_reranker."
    )
    assert runs(context.database) == []


def test_a_name_that_is_near_to_none_gets_no_hint(context: JobContext) -> None:
    with pytest.raises(UnknownJob, match=r"^There is no job 'x'\. The jobs are scan"):
        run_once("x", context.settings, context.now)


def test_the_jobs_that_follow_run_as_well(context: JobContext) -> None:
    outcomes = run_chain_once("scan", context.settings, lambda: context.now)
    sentences = [outcome.sentence for outcome in outcomes]
    assert sentences[1:] == ["No unusual request is new.", "No client has to be blocked."]
    assert [job for job, _, _ in runs(context.database)] == ["scan", "group_families", "decide"]


def test_a_command_without_work_says_so_and_does_not_fail(context: JobContext) -> None:
    outcome = run_once("scan", context.settings, context.now)
    assert outcome.is_skipped
    assert "run `maskwatch jobs run retrain`" in outcome.sentence
    assert runs(context.database) == [("scan", SKIPPED, outcome.sentence)]


def test_a_job_that_fails_is_recorded_and_tells_why(context: JobContext) -> None:
    with context.database.write() as session:
        apply_condition(session, make_condition(), context.now)
    context.settings.mail_dir.write_text("A file stands in the way.")
    with pytest.raises(DeliveryFailed, match="cannot be written") as caught:
        run_once("notify", context.settings, context.now)
    assert runs(context.database) == [("notify", FAILED, str(caught.value))]


def test_a_command_makes_the_tables_of_a_new_database(tmp_path: Path, now: datetime) -> None:
    settings = JobSettings(var_dir=tmp_path)
    assert run_once("notify", settings, now).sentence == "Sent 0 notifications."
