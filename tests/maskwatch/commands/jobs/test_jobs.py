"""``maskwatch jobs``: one job, the list, the latest runs; the old names of the commands."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.catalogue import JOBS, Job, job_named
from maskwatch.commands.jobs.commands import FORMER_NAMES
from store.engine.database import Database
from store.settings import StoreSettings
from store.tables.work_tables import JobRunRow
from tests.maskwatch.conftest import Run


def _runs(tmp_path: Path) -> list[str]:
    database = Database.open(StoreSettings(var_dir=tmp_path / "var"))
    with closing(database), database.read() as session:
        return list(session.scalars(select(JobRunRow.job).order_by(JobRunRow.id)))


def _chain(job: Job) -> list[str]:
    following = [] if job.followed_by is None else _chain(job_named(job.followed_by))
    return [job.name, *following]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_of_the_catalogue_can_be_run_once(
    maskwatch: Run, tmp_path: Path, job: Job
) -> None:
    said = maskwatch("jobs", "run", job.name)
    assert said.code == 0, said.err
    chain = _chain(job)
    assert said.out.count("\n") == len(chain)
    assert _runs(tmp_path) == chain


def test_a_wrong_name_is_answered_with_the_nearest_and_all(maskwatch: Run) -> None:
    said = maskwatch("jobs", "run", "find-patch")
    assert said.code == 1
    assert said.err.startswith(
        "maskwatch: There is no job 'find-patch'. Did you mean find_patches?"
    )
    assert all(job.name in said.err for job in JOBS)
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("name", FORMER_NAMES)
def test_former_names_of_commands_still_run_the_jobs(
    maskwatch: Run, tmp_path: Path, name: str
) -> None:
    said = maskwatch(name)
    assert said.code == 0, said.err
    assert _runs(tmp_path)[0] == name.replace("-", "_")


def test_the_list_says_when_each_job_runs_and_what_it_does(
    maskwatch: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_SCAN_INTERVAL_SECONDS", "45")
    lines = [json.loads(line) for line in maskwatch("jobs", "list", "--json").out.splitlines()]
    assert [line["name"] for line in lines] == [job.name for job in JOBS]
    assert lines[0]["schedule"] == "every 45 s"
    text = maskwatch("jobs", "list").out
    assert all(job.name in text and job.purpose in text for job in JOBS)


def test_the_status_shows_the_latest_run_of_each_job(maskwatch: Run) -> None:
    assert maskwatch("db", "upgrade").code == 0
    assert maskwatch("jobs", "status").out.startswith("No job has run yet")
    assert maskwatch("jobs", "status", "--json").out == ""
    for name in ("notify", "scan", "notify"):
        maskwatch("jobs", "run", name)
    runs = [json.loads(line) for line in maskwatch("jobs", "status", "--json").out.splitlines()]
    assert [(run["job"], run["outcome"]) for run in runs] == [
        ("decide", "succeeded"),
        ("group_families", "succeeded"),
        ("notify", "succeeded"),
        ("scan", "skipped"),
    ]
    text = maskwatch("jobs", "status").out
    assert text.count("\n") == 4
    assert "Sent 0 notifications." in text


def test_without_a_command_the_scheduler_runs(tmp_path: Path) -> None:
    environment = {**os.environ, "MASKWATCH_VAR_DIR": str(tmp_path)}
    command = [sys.executable, "-u", "-m", "maskwatch", "jobs"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("scheduler started" in line for line in process.stderr)
        process.terminate()
        process.communicate()
    assert process.returncode == 0


def test_a_scan_by_hand_runs_and_decides_as_the_job_does(maskwatch: Run, tmp_path: Path) -> None:
    said = maskwatch("scan", "--since", "24h")
    assert said.code == 0, said.err
    assert said.out.startswith("No outlier model is promoted yet")
    assert _runs(tmp_path) == ["scan", "group_families", "decide"]


def test_a_dry_run_is_no_run_and_says_what_is_missing(maskwatch: Run, tmp_path: Path) -> None:
    assert maskwatch("db", "upgrade").code == 0
    said = maskwatch("scan", "--dry-run")
    assert said.code == 0
    assert said.out.startswith("Dry run: No outlier model is promoted yet")
    assert _runs(tmp_path) == []


def test_a_time_that_cannot_be_read_is_refused(maskwatch: Run) -> None:
    said = maskwatch("scan", "--since", "yesterday")
    assert said.code == 1
    assert "The time 'yesterday' cannot be read" in said.err
