"""The scheduler as people run it, under a clock that is put back or forward (libfaketime)."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from jobs.settings import JobSettings
from store.alerts.job_runs import FAILED, SUCCEEDED
from store.engine.database import Database
from store.tables.work_tables import AlertRow, JobRunRow
from tests.waiting import wait_for

pytestmark = pytest.mark.parametrize("store_settings", ["postgresql"], indirect=True)

_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
_INTERVALS = ("NOTIFY", "ROLL_UP")
# As `maskwatch jobs`. Under libfaketime 0.9.10 each `sleep` fails, for it takes the monotonic clock
# for one that it changed (its issue 426); other waits it leaves alone.
_JOBS = """
import sys, time
from threading import Event

time.sleep = lambda seconds: Event().wait(seconds)
from maskwatch.cli import main

sys.argv = ["maskwatch", "jobs"]
main()
"""
SetClock = Callable[[str], None]


def _find_faketime() -> Path:
    for folder in _LIBRARIES:
        for library in Path(folder).glob("**/libfaketimeMT.so.1"):
            return library
    pytest.skip("libfaketime is not installed: `make programs` installs it where it may")


@pytest.fixture
def set_clock(settings: JobSettings, tmp_path: Path) -> Iterator[SetClock]:
    """Sets the clock of a scheduler that runs meanwhile: ``set_clock("-1h")``."""
    library, offset = _find_faketime(), tmp_path / "offset"

    def write(text: str) -> None:
        # Renamed into place: the process never reads a part of it.
        new = offset.with_suffix(".new")
        new.write_text(text)
        new.rename(offset)

    write("+0")
    environment = os.environ | {
        "MASKWATCH_VAR_DIR": str(settings.store.var_dir),
        "MASKWATCH_DATABASE_URL": settings.store.effective_database_url(),
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        **{f"MASKWATCH_{name}_INTERVAL_SECONDS": "1" for name in _INTERVALS},
    }
    with subprocess.Popen([sys.executable, "-c", _JOBS], env=environment) as process:
        yield write
        process.kill()


def _count_runs(database: Database, job: str) -> int:
    ended = (JobRunRow.job == job, JobRunRow.outcome == SUCCEEDED)
    with database.read() as session:
        return session.scalar(select(func.count()).where(*ended)) or 0


def _failed_jobs(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(JobRunRow.job).where(JobRunRow.outcome == FAILED)))


def _summaries(database: Database, rule: str) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(AlertRow.summary).where(AlertRow.rule == rule)))


@pytest.mark.parametrize(
    ("offset", "words"),
    [("-1h", "back by "), ("+1h", "forward by "), ("+3660d", "forward by 36")],
)
def test_jobs_go_on_after_a_step_and_a_mail_tells_of_it(
    set_clock: SetClock, database: Database, settings: JobSettings, offset: str, words: str
) -> None:
    wait_for(lambda: _count_runs(database, "notify") and _count_runs(database, "roll_up"))
    set_clock(offset)
    wait_for(lambda: _summaries(database, "clock_stepped"))
    [summary] = _summaries(database, "clock_stepped")
    assert words in summary
    before = {job: _count_runs(database, job) for job in ("notify", "roll_up")}
    wait_for(lambda: all(_count_runs(database, job) > n + 1 for job, n in before.items()))
    wait_for(lambda: list(settings.mail_dir.glob("*.eml")))
    assert _summaries(database, "jobs_standing_still") == []
    assert _failed_jobs(database) == []
