import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from subprocess import PIPE, Popen
from threading import Event

import pytest
from sqlalchemy import select, update

from jobs.context import JobContext
from jobs.leader import AlreadyRunning, Leader, Terms, leadership
from jobs.settings import JobSettings
from store.alerts.job_runs import start_run
from store.engine.database import Database
from store.engine.leases import LeaseLost, read_lease
from store.tables.work_tables import JobRunRow, LeaseRow
from tests.jobs.leading import PATIENT, SHORT, leading
from tests.waiting import wait_for

pytestmark = pytest.mark.parametrize(
    "store_settings", ["sqlite", "postgresql", "pgbouncer"], indirect=True
)

LEADER = """
import sys
from threading import Event
from jobs.leader import leadership
from store.engine.database import Database
from store.settings import StoreSettings

with leadership(Database.open(StoreSettings()), Event()):
    print("leading", flush=True)
    sys.stdin.read()
"""


class Clock:
    """A steady clock that a test moves on."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def rival(settings: JobSettings) -> Iterator[Database]:
    """What another process on the same database would have."""
    opened = Database.open(settings)
    yield opened
    opened.close()


def test_a_second_leader_is_refused_as_long_as_the_first_leads(
    database: Database, rival: Database
) -> None:
    refused = pytest.raises(AlreadyRunning, match="Another `maskwatch jobs` is running for")
    with leading(database):
        for _ in range(2):
            with refused, leadership(rival, Event(), PATIENT):
                pass


def test_leadership_is_free_again_after_a_fault(database: Database, rival: Database) -> None:
    with suppress(ValueError), leadership(database, Event()):
        raise ValueError
    assert Leader(rival).confirm()


def test_leadership_ends_with_a_killed_process(context: JobContext) -> None:
    settings = context.settings
    environment = os.environ | {
        "MASKWATCH_VAR_DIR": str(settings.store.var_dir),
        "MASKWATCH_DATABASE_URL": settings.store.effective_database_url(),
    }
    with Popen([sys.executable, "-c", LEADER], stdin=PIPE, stdout=PIPE, env=environment) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline() == b"leading\n"
        rival = Leader(context.database, SHORT)
        assert not rival.confirm()
        leader.kill()
    wait_for(rival.confirm)


def test_a_lease_that_is_renewed_is_not_taken_however_long_one_waits(
    database: Database, rival: Database
) -> None:
    clock = Clock()
    leader, waiting = Leader(database), Leader(rival, Terms(), clock)
    assert leader.confirm()
    for _ in range(5):
        assert not waiting.confirm()
        clock.seconds += Terms().expire_seconds - 1
        assert not waiting.confirm()
        assert leader.confirm()
        clock.seconds += 1


def test_a_lease_is_taken_once_nobody_renewed_it_for_its_length(
    database: Database, rival: Database
) -> None:
    clock = Clock()
    leader, waiting = Leader(database), Leader(rival, Terms(), clock)
    assert leader.confirm()
    assert not waiting.confirm()
    clock.seconds += Terms().expire_seconds
    assert waiting.confirm()
    assert not leader.confirm()


@pytest.mark.parametrize("year", [1999, 2099])
def test_the_time_of_day_gives_no_lease_away_and_keeps_none(
    database: Database, rival: Database, year: int
) -> None:
    clock = Clock()
    leader, waiting = Leader(database), Leader(rival, Terms(), clock)
    assert leader.confirm()
    with rival.write() as session:
        session.execute(update(LeaseRow).values(renewed_at=datetime(year, 1, 1, tzinfo=UTC)))
    assert not waiting.confirm()
    clock.seconds += Terms().expire_seconds
    assert waiting.confirm()


def test_a_leader_that_stood_still_writes_nothing_once_another_one_leads(
    database: Database, rival: Database, context: JobContext
) -> None:
    clock = Clock()
    leader, waiting = Leader(database), Leader(rival, Terms(), clock)
    guarded = database.guarded_by(leader.guard)
    assert leader.confirm()
    assert not waiting.confirm()
    with guarded.write() as session:
        start_run(session, "scan", context.now)
    clock.seconds += Terms().expire_seconds
    assert waiting.confirm()
    with pytest.raises(LeaseLost, match="took over"), guarded.write() as session:
        start_run(session, "decide", context.now)
    with rival.read() as session:
        assert session.scalars(select(JobRunRow.job)).all() == ["scan"]


def test_the_lease_says_who_leads_and_since_when(database: Database) -> None:
    with leadership(database, Event()) as leader:
        leader.confirm(idle_seconds=7.0, max_idle_seconds=90.0)
        with database.read() as session:
            lease = read_lease(session)
        assert lease.holder is not None
        assert lease.holder.endswith(f"process {os.getpid()}")
        assert lease.since is not None
        assert lease.age_seconds is not None
        assert abs(lease.age_seconds) < 60
        assert (lease.idle_seconds, lease.max_idle_seconds) == (7.0, 90.0)
    with database.read() as session:
        assert read_lease(session).token is None
