"""A service and its jobs on one PostgreSQL, steady uploads, and what the database holds of them."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import httpx2 as httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select

from bench.gate.service import RunningService
from detectors.errors import MaskwatchError
from inference.figures import draw_figure
from maskwatch.demo.pictures import encode
from store.alerts.job_runs import FAILED, SUCCEEDED
from store.configuration.names import PREFIX
from store.engine.database import Database
from store.settings import StoreSettings
from store.tables.request_tables import RequestRow
from store.tables.work_tables import JobRunRow

# Jobs of these run each second, so that much happens in a minute.
_EVERY_SECOND = ("NOTIFY", "ROLL_UP", "ALERT")
WATCHED = ("notify", "roll_up")
_PAUSE_SECONDS, _LOOK_SECONDS = 0.1, 0.2
_WAIT_SECONDS = 120.0


class RunFailed(MaskwatchError):
    """A measurement did not come to its end."""


@dataclass
class Uploads:
    """What became of uploads, one after the other, each from a client of its own.

    Attributes:
        ids: of requests that were answered 200.
        answers: by status, or by what the connection failed with.
        max_seconds: of the slowest answer.
    """

    ids: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    max_seconds: float = 0.0

    def send_until(self, over: Event, url: str) -> None:
        """Upload again and again."""
        picture = encode(draw_figure(1).image, "", "JPEG").data
        with httpx.Client(timeout=60, trust_env=False) as http:
            for number in count():
                if over.wait(_PAUSE_SECONDS):
                    return
                self._send(http, url, picture, f"198.51.100.{number % 250}")

    def _send(self, http: httpx.Client, url: str, data: bytes, client: str) -> None:
        start = monotonic()
        try:
            files, headers = {"file": ("upload", data)}, {"X-Forwarded-For": client}
            answer = http.post(url, files=files, headers=headers)
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
            return
        self.max_seconds = max(self.max_seconds, monotonic() - start)
        self.answers[str(answer.status_code)] += 1
        if answer.status_code == 200:
            self.ids.append(answer.headers["x-request-id"])


@contextmanager
def steady_uploads(url: str) -> Iterator[Uploads]:
    """Uploads for as long as the context lasts."""
    over, uploads = Event(), Uploads()
    thread = Thread(target=uploads.send_until, args=(over, url))
    thread.start()
    try:
        yield uploads
    finally:
        over.set()
        thread.join()


def address_of(settings: StoreSettings) -> dict[str, str]:
    """What leads a process to a database, by the names of settings without their prefix."""
    return {
        "VAR_DIR": str(settings.store.var_dir),
        "DATABASE_URL": settings.store.effective_database_url(),
    }


def count_faults(service: RunningService) -> float:
    """Faults that a service has counted, of every kind."""
    answer = httpx.get(service.url.replace("/v1/parse", "/metrics"), trust_env=False)
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "maskwatch_faults_total"
    )


@contextmanager
def running_jobs(
    variables: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """``maskwatch jobs`` in a process of its own; its last words are on its standard error.

    Args:
        variables: settings by their names without the prefix.
        environment: further variables.
    """
    intervals = {f"{name}_INTERVAL_SECONDS": "1" for name in _EVERY_SECOND}
    settings = {PREFIX + name: value for name, value in {**intervals, **variables}.items()}
    with (
        Path(variables["VAR_DIR"], "jobs.log").open("a") as log,
        subprocess.Popen(
            [sys.executable, "-m", "maskwatch", "jobs"],
            env={**os.environ, **settings, **(environment or {})},
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def count_runs(database: Database, job: str) -> int:
    """How many runs of a job have succeeded."""
    ended = (JobRunRow.job == job, JobRunRow.outcome == SUCCEEDED)
    with database.read() as session:
        return session.scalar(select(func.count()).where(*ended)) or 0


def seconds_until(condition: Callable[[], bool]) -> float:
    """How long it takes until something holds.

    Raises:
        RunFailed: it does not come to that.
    """
    start = monotonic()
    while not condition():
        if monotonic() - start > _WAIT_SECONDS:
            raise RunFailed(f"It did not happen within {_WAIT_SECONDS:.0f} seconds.")
        sleep(_LOOK_SECONDS)
    return monotonic() - start


def seconds_until_jobs_run(database: Database) -> float:
    """How long it takes until each watched job has succeeded once more."""
    before = {job: count_runs(database, job) for job in WATCHED}
    return seconds_until(
        lambda: all(count_runs(database, job) > runs for job, runs in before.items())
    )


def describe_records(database: Database, uploads: Uploads) -> dict[str, float]:
    """What the database holds of all uploads once it has caught up, by figure."""
    seconds = seconds_until(lambda: not set(uploads.ids) - set(_read_ids(database)))
    counts = Counter(_read_ids(database))
    return {
        "uploads": uploads.answers.total(),
        "answered_200": len(uploads.ids),
        "other_answers": uploads.answers.total() - len(uploads.ids),
        "slowest_answer_seconds": uploads.max_seconds,
        "records": counts.total(),
        "records_lost": sum(each not in counts for each in uploads.ids),
        "records_twice": sum(number > 1 for number in counts.values()),
        "seconds_until_all_are_stored": seconds,
    }


def describe_runs(database: Database) -> dict[str, float]:
    """What became of the runs of all jobs, by figure.

    Two schedulers at once would show: one alone never begins a job that it still runs. Of a run
    that failed nobody may know when it ended.
    """
    runs = _read_runs(database)
    return {
        "job_runs": len(runs),
        "job_runs_failed": sum(run.outcome == FAILED for run in runs),
        "job_runs_at_once": sum(
            earlier.finished_at is not None and later.started_at < earlier.finished_at
            for job in {run.job for run in runs}
            for earlier, later in pairwise(
                run for run in runs if run.job == job and run.outcome != FAILED
            )
        ),
    }


def _read_ids(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(RequestRow.request_id)))


def _read_runs(database: Database) -> list[JobRunRow]:
    with database.read() as session:
        return list(session.scalars(select(JobRunRow).order_by(JobRunRow.id)))
