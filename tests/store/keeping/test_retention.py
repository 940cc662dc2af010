"""Batches that forget old requests, and days that nobody uses."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from detectors.registry import FeatureVector
from store.engine.database import Database
from store.engine.day_partitions import is_partitioned, list_days, make_days
from store.keeping.retention import (
    OF_A_REQUEST,
    DaysInUse,
    days_before,
    drop_old_day,
    forget_job_runs,
    forget_requests,
    make_coming_days,
)
from store.requests.records import PictureFile
from store.requests.request_keys import key_of
from store.tables.all_tables import METADATA
from store.tables.request_tables import RequestRow
from store.tables.work_tables import JobRunRow

Add = Callable[..., int]
DAY = timedelta(days=1)


def test_every_table_with_rows_of_a_request_is_known() -> None:
    known = {*OF_A_REQUEST, "fingerprint_keys"}  # these go with their fingerprints
    assert {t.name for t in METADATA.tables.values() if "request_pk" in t.c} <= known


def test_a_batch_takes_the_oldest_with_all_that_belongs_to_them(
    database: Database, now: datetime, add: Add
) -> None:
    full = {
        "features": FeatureVector.of({"width": 640}),
        "evidence": (PictureFile("picture", "0" * 64, "image/webp"),),
    }
    keys = [add(received_at=now + n * DAY, **full) for n in range(4)]
    with database.write() as session:
        gone = forget_requests(session, key_of(now + 3 * DAY), 2)
        assert gone == {"requests": 2, "request_features": 2, "evidence": 2}
        assert session.scalars(select(RequestRow.id).order_by(RequestRow.id)).all() == keys[2:]
        assert forget_requests(session, key_of(now + 3 * DAY), 2)["requests"] == 1
        assert forget_requests(session, key_of(now + 3 * DAY), 2) == {}
        assert session.scalars(select(RequestRow.id)).all() == keys[3:]


def test_what_came_late_goes_when_its_key_is_old(
    database: Database, now: datetime, add: Add
) -> None:
    add(received_at=now)
    add(received_at=now - 9 * DAY)  # its key follows the one before
    with database.write() as session:
        assert forget_requests(session, key_of(now), 10) == {}
        assert forget_requests(session, key_of(now + DAY), 10) == {"requests": 2}


def test_days_come_ahead_of_time_and_only_where_there_are_any(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        make_coming_days(session, now.date(), ahead=2)
        if is_partitioned(session):
            assert list_days(session) == tuple(now.date() + n * DAY for n in range(3))
            assert days_before(session, now.date() + DAY) == (now.date(),)
        else:
            assert days_before(session, now.date() + DAY) == ()


def test_no_day_goes_while_records_are_written(database: Database, now: datetime, add: Add) -> None:
    if database.dialect != "postgresql":
        pytest.skip("SQLite has no days")
    with database.write() as session:
        make_days(session, now.date(), 1)
    with database.engine.connect() as writer:
        writer.exec_driver_sql("UPDATE sequences SET last = last")
        with pytest.raises(DaysInUse, match="try again later"), database.write() as session:
            drop_old_day(session, now.date())
    with database.write() as session:
        assert drop_old_day(session, now.date()) == 0


def test_job_runs_go_oldest_first(database: Database, now: datetime) -> None:
    with database.write() as session:
        for age in (9, 8, 7, 1, 0):
            run = JobRunRow(job="scan", started_at=now - age * DAY, outcome="succeeded", rows=0)
            session.add(run)
            session.flush()
        assert [forget_job_runs(session, now - 5 * DAY, 2) for _ in range(3)] == [2, 1, 0]
        assert len(session.scalars(select(JobRunRow.id)).all()) == 2
