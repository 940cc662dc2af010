"""Migrations with records in the tables: other keys, the same records, their reasons."""

from datetime import datetime, timedelta

from sqlalchemy import select, text

from detectors.findings import Finding, Place
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON
from detectors.verdict import Verdict
from store.counts.roll_ups import roll_up
from store.engine.database import Database
from store.engine.day_partitions import is_partitioned, list_days, make_days
from store.engine.schema.versions import downgrade, upgrade
from store.pages.request_detail import request_detail
from store.requests.record_store import add_records
from store.requests.records import PictureFile, RequestRecord, Trace
from store.requests.request_keys import key_of
from store.tables.request_tables import (
    FingerprintRow,
    RequestRow,
    fingerprint_keys_table,
    reasons_table,
)
from tests.makers import make_record

DAY = timedelta(days=1)


def _add(database: Database, records: list[RequestRecord]) -> None:
    with database.write() as session:
        add_records(session, records)


def _details(database: Database, records: list[RequestRecord]) -> list[tuple[object, ...]]:
    """What stays when a key changes."""
    found: list[tuple[object, ...]] = []
    with database.read() as session:
        for record in records:
            detail = request_detail(session, record.request_id)
            assert detail is not None
            assert detail.features is not None
            rest = (detail.summary.received_at, detail.summary.client, detail.findings)
            found.append((*rest, detail.features.collect_values()))
    return found


def _full(received_at: datetime, key: int) -> RequestRecord:
    return make_record(
        received_at=received_at,
        features=FeatureVector.of({"width": 640.0 + key}),
        findings=(Finding(NO_PERSON, {"persons": 0.0}, (Place(1, 2, 3, 4, "face"),)),),
        evidence=(PictureFile("picture", "0" * 64, "image/png"),),
        trace=Trace(b"trace", (key,), "a" * 36),
    )


def test_records_are_the_same_after_a_way_back_and_forth(database: Database, now: datetime) -> None:
    records = [_full(now + n * DAY, n) for n in range(3)]
    _add(database, records)
    before = _details(database, records)
    downgrade(database, "0009")
    upgrade(database)
    assert _details(database, records) == before
    with database.read() as session:
        keys = session.execute(select(fingerprint_keys_table).order_by(text("key"))).all()
        pks = session.scalars(select(FingerprintRow.request_pk).order_by(text("1"))).all()
    assert [tuple(key) for key in keys] == [(n, pk) for n, pk in enumerate(pks)]


def test_keys_that_only_counted_get_the_time(database: Database, now: datetime) -> None:
    records = [make_record(received_at=now + n * DAY) for n in (0, 2, 1)]
    _add(database, records)
    downgrade(database, "0009")
    with database.write() as session:
        session.execute(text("UPDATE requests SET id = id - (SELECT min(id) FROM requests) + 1"))
    upgrade(database)
    with database.write() as session:
        rows = session.execute(select(RequestRow.id, RequestRow.request_id).order_by("id")).all()
        assert [row.request_id for row in rows] == [record.request_id for record in records]
        expected = [key_of(now), key_of(now + 2 * DAY), key_of(now + 2 * DAY) + 1]
        assert [row.id for row in rows] == expected
        if is_partitioned(session):
            assert list_days(session) == (now.date(), (now + 2 * DAY).date())
    later = make_record(received_at=now)
    _add(database, [later])
    with database.read() as session:
        newest = session.scalars(select(RequestRow.id).order_by(RequestRow.id.desc())).first()
    assert newest == key_of(now + 2 * DAY) + 2


def test_reasons_of_records_that_were_there_are_found(database: Database, now: datetime) -> None:
    reasons = ("blank", "truncated")
    flagged = make_record(received_at=now, reasons=reasons, verdict=Verdict.FLAG)
    with database.write() as session:
        if is_partitioned(session):
            make_days(session, now.date(), 1)
    _add(database, [flagged, make_record(received_at=now)])
    downgrade(database, "0011")
    upgrade(database)
    with database.read() as session:
        rows = session.execute(select(reasons_table).order_by(reasons_table.c.reason)).all()
        pk = session.scalars(
            select(RequestRow.id).where(RequestRow.request_id == flagged.request_id)
        ).one()
        if is_partitioned(session):
            lies_in = text("SELECT DISTINCT tableoid::regclass::text FROM request_reasons")
            assert session.scalars(lies_in).all() == ["maskwatch_days.request_reasons_20260302"]
    assert [tuple(row) for row in rows] == [(pk, reason) for reason in reasons]
    with database.write() as session:
        assert roll_up(session, now, 10) == 2
