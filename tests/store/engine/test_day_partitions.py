"""Days of records on PostgreSQL: made ahead of time, dropped as a whole."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON
from store.engine.database import Database
from store.engine.day_partitions import drop_day, is_partitioned, list_days, make_days
from store.requests.record_store import add_records
from store.requests.records import PictureFile
from store.settings import StoreSettings
from store.tables.request_tables import EvidenceRow, FindingRow, RequestRow, features_table
from tests.makers import RecordChanges, make_record

DAY = timedelta(days=1)


@pytest.fixture
def store_settings(postgres_settings: StoreSettings) -> StoreSettings:
    """PostgreSQL alone has partitions."""
    return postgres_settings


def _partition_of(database: Database) -> list[str]:
    with database.read() as session:
        names = session.execute(text("SELECT tableoid::regclass::text FROM requests ORDER BY id"))
        return list(names.scalars())


def test_records_lie_in_the_partitions_of_their_day(database: Database, now: datetime) -> None:
    with database.write() as session:
        assert is_partitioned(session)
        assert make_days(session, now.date(), 2) == 2
        assert make_days(session, now.date(), 3) == 3
        times = (now, now + DAY, now + 9 * DAY)
        add_records(session, [make_record(received_at=time) for time in times[:1]])
        add_records(session, [make_record(received_at=time) for time in times[1:2]])
        add_records(session, [make_record(received_at=time) for time in times[2:]])
    assert _partition_of(database) == [
        "maskwatch_days.requests_20260302",
        "maskwatch_days.requests_20260303",
        "maskwatch_days.requests_rest",
    ]


def test_a_day_goes_with_all_that_belongs_to_it(database: Database, now: datetime) -> None:
    full: RecordChanges = {
        "features": FeatureVector.of({"width": 640}),
        "findings": (Finding(NO_PERSON, {"persons": 0.0}),),
        "evidence": (PictureFile("picture", "0" * 64, "image/png"),),
    }
    with database.write() as session:
        make_days(session, now.date(), 2)
        add_records(session, [make_record(**full), make_record(**full)])
        add_records(session, [replace(make_record(**full), received_at=now + DAY)])
        assert list_days(session) == (now.date(), (now + DAY).date())
        assert drop_day(session, now.date()) == 2
        assert drop_day(session, now.date()) == 0
        assert list_days(session) == ((now + DAY).date(),)
        tables = (RequestRow.__table__, features_table, FindingRow.__table__, EvidenceRow.__table__)
        counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
    assert counts == [1, 1, 1, 1]


def test_a_day_whose_records_came_first_stays_with_the_rest(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        add_records(session, [make_record()])
        assert make_days(session, now.date(), 2) == 1
        assert list_days(session) == ((now + DAY).date(),)
        assert session.scalar(select(func.count()).select_from(RequestRow)) == 1
