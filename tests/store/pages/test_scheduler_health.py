from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from store.engine.database import Database
from store.engine.leases import release_lease, renew_lease, take_lease
from store.pages.scheduler_health import SchedulerHealth, scheduler_health
from store.tables.work_tables import LeaseRow
from tests.waiting import PATIENCE_SECONDS


def _read(database: Database) -> SchedulerHealth:
    with database.read() as session:
        return scheduler_health(session)


@pytest.fixture(autouse=True)
def a_lease_is_good_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Than a busy machine takes between its renewal and a look at it."""
    monkeypatch.setattr("store.pages.scheduler_health._MAX_AGE_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def token(database: Database) -> str:
    with database.write() as session:
        taken = take_lease(session, 0, "parser-1, process 7")
    assert taken is not None
    return taken


def test_without_a_leader_nobody_runs_the_jobs(database: Database) -> None:
    assert _read(database).sentence == "Nobody runs the jobs: start `maskwatch jobs`."
    assert not _read(database).is_ready


def test_a_leader_that_renews_and_begins_jobs_is_ready(database: Database, token: str) -> None:
    assert _read(database).is_ready
    with database.write() as session:
        assert renew_lease(session, token, 12.0, 90.0)
    health = _read(database)
    assert health.is_ready
    assert health.holder == "parser-1, process 7"
    assert health.sentence.startswith("parser-1, process 7 leads since 20")


def test_a_leader_that_begins_no_job_is_not_ready(database: Database, token: str) -> None:
    with database.write() as session:
        assert renew_lease(session, token, 91.0, 90.0)
    health = _read(database)
    assert not health.is_ready
    assert "began no job for 91 seconds" in health.sentence


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_lease_that_is_not_renewed_is_not_ready_whichever_way_the_clock_went(
    database: Database, hours: int
) -> None:
    elsewhen = datetime.now(UTC) + timedelta(hours=hours)
    with database.write() as session:
        session.execute(update(LeaseRow).values(renewed_at=elsewhen))
    health = _read(database)
    assert not health.is_ready
    assert "gone, frozen or without the database" in health.sentence


def test_a_leader_that_resigned_leads_no_more(database: Database, token: str) -> None:
    with database.write() as session:
        release_lease(session, token)
    assert _read(database).holder is None
