"""Jobs under a clock that is put back and forward (libfaketime): what is noticed, and how soon."""

from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

from sqlalchemy import ColumnElement, func, select

from bench.neighbours.whole import (
    RunFailed,
    address_of,
    describe_runs,
    running_jobs,
    seconds_until,
    seconds_until_jobs_run,
)
from bench.report import Figures
from bench.store.recording import new_record
from bench.store.servers import open_place
from store.alert_rules.clock_stepped import CLOCK_STEPPED
from store.alert_rules.jobs_standing_still import JOBS_STANDING_STILL
from store.engine.database import Database
from store.requests.record_store import add_records
from store.tables.request_tables import RequestRow
from store.tables.work_tables import AlertRow, JobRunRow

_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
_HOUR, _YEAR = 3_600, 366 * 86_400
# Where the clock stands against the true one, in seconds; the last one is a year and a bit ahead.
_OFFSETS = (-_HOUR, 0, 26 * _HOUR, 0, 50, _YEAR, _YEAR + 40)
# What a time service corrects at once, and nobody is told of; the watchdog looks every 10 seconds.
_SHORT_STEP, _QUIET_SECONDS = 3, 25.0
_RECORDS = 50


@dataclass(frozen=True)
class _Clock:
    """The clock of a process that is started with these variables."""

    file: Path
    library: Path

    def put(self, offset: int) -> None:
        """Set it to so many seconds from the true time."""
        # Renamed into place: the process never reads a part of it.
        new = self.file.with_suffix(".new")
        new.write_text(f"{offset:+d}")
        new.rename(self.file)

    def variables(self) -> dict[str, str]:
        """What a process has to be started with."""
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


def measure_clock() -> Figures:
    """Steps of an hour, of a day, of seconds and of a year, one after the other.

    Raises:
        RunFailed: libfaketime is not installed, or a step is not noticed.
        NoServer: there is no PostgreSQL.
    """
    with (
        # Not SQLite: its writers poll for a turn, and libfaketime 0.9.10 lets them sleep too long.
        TemporaryDirectory(prefix="maskwatch-clock-") as name,
        open_place("postgres", Path(name)) as place,
        closing(Database.open(place.settings)) as database,
    ):
        with database.write() as session:
            add_records(session, [new_record(number) for number in range(_RECORDS)])
        clock = _Clock(Path(name) / "offset", _find_library())
        clock.put(0)
        variables = {**address_of(place.settings), "PRUNE_INTERVAL_SECONDS": "60"}
        with running_jobs(variables, clock.variables()):
            seconds_until_jobs_run(database)
            steps = [_step(database, clock, *offsets) for offsets in pairwise((0, *_OFFSETS))]
            told_of_short = _step_shortly(database, clock)
            prune_seconds = _seconds_until_prune(database)
        return {
            "clock_steps": len(steps),
            "clock_noticed_seconds_max": max(noticed for noticed, _ in steps),
            "clock_jobs_back_seconds_max": max(back for _, back in steps),
            "clock_short_steps_told": told_of_short,
            "clock_mails": len(list((Path(name) / "mail").glob("*.eml"))),
            "clock_standing_still_alerts": _count(database, AlertRow.rule == JOBS_STANDING_STILL),
            "clock_prune_seconds": prune_seconds,
            "clock_records_removed": _RECORDS - _count_records(database),
            "clock_job_runs_failed": describe_runs(database)["job_runs_failed"],
        }


def _find_library() -> Path:
    for folder in _LIBRARIES:
        for library in Path(folder).glob("**/libfaketimeMT.so.1"):
            return library
    raise RunFailed("libfaketime is not installed: this measurement needs it.")


def _step(database: Database, clock: _Clock, before: int, after: int) -> tuple[float, float]:
    """Seconds until a step is noticed, and until the jobs run again."""
    clock.put(after)
    step = AlertRow.value.between(after - before - 1, after - before + 1)
    noticed = seconds_until(lambda: _count(database, AlertRow.rule == CLOCK_STEPPED, step) > 0)
    return noticed, noticed + seconds_until_jobs_run(database)


def _step_shortly(database: Database, clock: _Clock) -> int:
    """Whether anybody is told of a step that is none."""
    clock.put(_OFFSETS[-1] + _SHORT_STEP)
    sleep(_QUIET_SECONDS)
    return _count(database, AlertRow.rule == CLOCK_STEPPED, AlertRow.value < _SHORT_STEP + 1)


def _seconds_until_prune(database: Database) -> float:
    """How long it takes until the job that removes what is old was tried once more."""
    before = _count_prunes(database)
    return seconds_until(lambda: _count_prunes(database) > before)


def _count_prunes(database: Database) -> int:
    ended = (JobRunRow.job == "prune", JobRunRow.finished_at.is_not(None))
    with database.read() as session:
        return session.scalar(select(func.count()).where(*ended)) or 0


def _count_records(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(RequestRow)) or 0


def _count(database: Database, *conditions: ColumnElement[bool]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(AlertRow).where(*conditions)) or 0
