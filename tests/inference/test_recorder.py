"""Nothing recorded is lost: the spool, torn entries, a locked database."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON
from detectors.verdict import Verdict
from inference.metrics import Metrics
from inference.recorder import Recorder
from inference.spool import Spool, SpoolFailed
from store.database import Database
from store.records import RequestRecord, Stage
from store.schema import ensure_current
from store.settings import StoreSettings
from store.tables import RequestRow


def _record() -> RequestRecord:
    return RequestRecord(
        request_id=str(uuid4()),
        received_at=datetime(2026, 3, 1, tzinfo=UTC),
        client="ip:192.0.2.1",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG,
        status=200,
        reasons=("no_person_found",),
        features=FeatureVector.of({"width": 5.0}),
        findings=(Finding(NO_PERSON, {"foreground_share": 0.0}),),
    )


@pytest.fixture
def local(tmp_path: Path) -> Database:
    database = Database.open(StoreSettings(var_dir=tmp_path, database_wait_seconds=0.2))
    ensure_current(database)
    return database


def _stored(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(RequestRow.request_id).order_by(RequestRow.id)))


def test_a_locked_database_sends_records_to_the_spool_and_back_in_order(
    local: Database, tmp_path: Path
) -> None:
    recorder = Recorder(local, Spool(tmp_path), Metrics())
    records = [_record() for _ in range(4)]
    recorder.record(records[0])
    locker = sqlite3.connect(tmp_path / "maskwatch.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    recorder.record(records[1])
    recorder.record(records[2])
    locker.rollback()
    locker.close()
    recorder.record(records[3])
    assert _stored(local) == [record.request_id for record in records]
    assert Spool(tmp_path).is_empty()


def test_replaying_twice_stores_once(local: Database, tmp_path: Path) -> None:
    spool, record = Spool(tmp_path), _record()
    recorder = Recorder(local, spool, Metrics())
    recorder.record(record)
    spool.append(record)
    recorder.replay()
    assert _stored(local) == [record.request_id]


def test_a_torn_entry_is_cut_and_does_not_swallow_the_next(local: Database, tmp_path: Path) -> None:
    spool, first, second = Spool(tmp_path), _record(), _record()
    spool.append(first)
    file = tmp_path / "spool" / "requests.jsonl"
    file.write_bytes(file.read_bytes() + b'deadbeef {"request_id": "to')
    spool.append(second)
    Recorder(local, spool, Metrics()).replay()
    assert _stored(local) == [first.request_id, second.request_id]


def test_a_failing_write_keeps_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(_record())

    def fail(_records: object) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        spool.replay(fail)
    assert not spool.is_empty()


def test_a_spool_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    with pytest.raises(SpoolFailed, match="MASKWATCH_VAR_DIR"):
        Spool(tmp_path).append(_record())
