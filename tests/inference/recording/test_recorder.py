"""Nothing recorded is lost: groups, bad records, a locked database, a full queue, a shutdown."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import select

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON
from detectors.verdict import Verdict
from inference.metrics import Metrics
from inference.recording.record_queue import QueueClosed, QueueFull
from inference.recording.recorder import Recorder
from inference.recording.recorder_settings import Durability, RecorderLimits
from store.engine.database import Database
from store.engine.schema.versions import ensure_current
from store.requests.records import RequestRecord, Stage
from store.settings import StoreSettings
from store.spool.spool import NotRecorded, Spool, SpoolFailed
from store.tables.request_tables import RequestRow, features_table
from tests.waiting import PATIENCE_SECONDS, wait_for

START = datetime(2026, 3, 1, tzinfo=UTC)


def _record(moment: datetime = START) -> RequestRecord:
    return RequestRecord(
        request_id=str(uuid4()),
        received_at=moment,
        client="ip:192.0.2.1",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG,
        status=200,
        reasons=("no_person_found",),
        features=FeatureVector.of({"width": 5.0}),
        findings=(Finding(NO_PERSON, {"foreground_share": 0.0}),),
    )


def _bad() -> RequestRecord:
    """No database takes a time without its zone."""
    return _record(START.replace(tzinfo=None))


def _ids(records: list[RequestRecord]) -> list[str]:
    return [record.request_id for record in records]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(StoreSettings(var_dir=tmp_path, database_wait_seconds=0.2))
    ensure_current(database)
    yield database
    database.close()


def _recorder(
    database: Database, var_dir: Path, metrics: Metrics | None = None, **limits: object
) -> closing[Recorder]:
    chosen = replace(RecorderLimits(), **limits)  # type: ignore[arg-type]
    return closing(Recorder(database, Spool(var_dir), metrics or Metrics(), chosen))


@contextmanager
def _locked(var_dir: Path) -> Iterator[None]:
    with closing(sqlite3.connect(var_dir / "maskwatch.db", isolation_level=None)) as locker:
        locker.execute("BEGIN EXCLUSIVE")
        yield
        locker.rollback()


def _stored(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(RequestRow.request_id).order_by(RequestRow.id)))


def _value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"maskwatch_{name}", labels) or 0.0


def test_a_record_is_stored_when_record_returns(database: Database, tmp_path: Path) -> None:
    records = [_record() for _ in range(5)]
    with _recorder(database, tmp_path) as recorder:
        for number, record in enumerate(records, 1):
            recorder.record(record)
            assert _stored(database) == _ids(records[:number])


def test_callers_at_the_same_time_share_commits(database: Database, tmp_path: Path) -> None:
    metrics, records = Metrics(), [_record() for _ in range(200)]
    with (
        _recorder(database, tmp_path, metrics, wait_seconds=0.05) as recorder,
        ThreadPoolExecutor(16) as threads,
    ):
        list(threads.map(recorder.record, records))
    assert sorted(_stored(database)) == sorted(_ids(records))
    assert _value(metrics, "record_group_records_sum") == 200
    assert _value(metrics, "record_group_records_count") < 200
    assert _value(metrics, "record_commit_seconds_count") < 200
    assert _value(metrics, "record_queue") == 0


def test_a_locked_database_sends_records_to_the_spool_and_back_in_order(
    local: Database, tmp_path: Path
) -> None:
    records, metrics = [_record() for _ in range(6)], Metrics()
    with _recorder(local, tmp_path, metrics) as recorder:
        recorder.record(records[0])
        with _locked(tmp_path):
            for record in records[1:4]:
                recorder.record(record)
            assert _stored(local) == _ids(records[:1])
        recorder.record(records[4])
        recorder.try_again()
        wait_for(lambda: not recorder.is_behind())
        recorder.record(records[5])
    assert _stored(local) == _ids(records)
    assert _value(metrics, "replayed_records_total") == _value(metrics, "spooled_records_total")


def test_a_database_that_is_away_is_not_tried_for_every_record(
    local: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0
    write = Database.write

    def counted(database: Database) -> object:
        nonlocal attempts
        attempts += 1
        return write(database)

    monkeypatch.setattr(Database, "write", counted)
    with _locked(tmp_path), _recorder(local, tmp_path) as recorder:
        for _ in range(300):
            recorder.record(_record())
    # One for the first record, and those of the replay with its growing pauses.
    assert attempts < 30


def test_what_an_earlier_process_left_is_stored_first(database: Database, tmp_path: Path) -> None:
    left, new = [_record() for _ in range(3)], _record()
    Spool(tmp_path).append(left)
    with _recorder(database, tmp_path) as recorder:
        recorder.record(new)
        wait_for(lambda: not recorder.is_behind())
    assert _stored(database) == _ids([*left, new])


def test_what_is_stored_and_spooled_is_stored_once(database: Database, tmp_path: Path) -> None:
    record = _record()
    with _recorder(database, tmp_path) as recorder:
        recorder.record(record)
        Spool(tmp_path).append([record])
        recorder.try_again()
        wait_for(lambda: not recorder.is_behind())
    assert _stored(database) == [record.request_id]


def test_a_bad_record_costs_its_group_nothing(database: Database, tmp_path: Path) -> None:
    metrics = Metrics()
    records = [_bad() if number in {0, 7, 8} else _record() for number in range(16)]
    with _recorder(database, tmp_path, metrics, durability=Durability.RELAXED) as recorder:
        for record in records:
            recorder.record(record)
    assert _stored(database) == [each.request_id for each in records if each.received_at.tzinfo]
    assert _value(metrics, "set_aside_records_total") == 3
    aside = (tmp_path / "spool" / "foreign.jsonl").read_text()
    assert [aside.index(records[bad].request_id) > 0 for bad in (0, 7, 8)] == [True] * 3


def test_a_bad_record_in_the_spool_holds_up_nothing(database: Database, tmp_path: Path) -> None:
    records = [_record(), _bad(), _record()]
    Spool(tmp_path).append(records)
    with _recorder(database, tmp_path) as recorder:
        wait_for(lambda: not recorder.is_behind())
    assert _stored(database) == _ids([records[0], records[2]])


def test_a_record_without_what_every_record_has_is_set_aside(
    database: Database, tmp_path: Path
) -> None:
    nameless: RequestRecord = replace(_record(), client=None)  # type: ignore[arg-type]
    good, metrics = _record(), Metrics()
    with _recorder(database, tmp_path, metrics) as recorder:
        recorder.record(nameless)
        recorder.record(good)
    assert _stored(database) == [good.request_id]
    assert _value(metrics, "set_aside_records_total") == 1


def test_a_record_that_not_even_a_file_takes_is_refused_alone(
    database: Database, tmp_path: Path
) -> None:
    odd = replace(_record(), findings=(Finding(NO_PERSON, {"share": np.float32(1)}),))  # type: ignore[dict-item]
    good, metrics = _record(), Metrics()
    with _recorder(database, tmp_path, metrics) as recorder:
        with pytest.raises(NotRecorded, match="cannot be written down"):
            recorder.record(odd)
        recorder.record(good)
    assert _stored(database) == [good.request_id]
    assert _value(metrics, "unkept_records_total", why="not_durable") == 1


def test_what_was_not_measured_is_stored_as_null(database: Database, tmp_path: Path) -> None:
    features = FeatureVector.of({"width": 5.0, "height": float("nan")})
    with _recorder(database, tmp_path) as recorder:
        recorder.record(replace(_record(), features=features))
    with database.read() as session:
        row = session.execute(select(features_table)).one()
    assert (row.width, row.height, row.grey_entropy) == (5.0, None, None)


def test_a_clock_that_jumps_back_changes_no_order(database: Database, tmp_path: Path) -> None:
    records = [_record(START - timedelta(days=number)) for number in range(5)]
    with _recorder(database, tmp_path) as recorder:
        for record in records:
            recorder.record(record)
    assert _stored(database) == _ids(records)


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Database]:
    """A database that waits long for its turn: who holds ``write`` holds up the writer."""
    database = Database.open(StoreSettings(var_dir=tmp_path, database_wait_seconds=60))
    ensure_current(database)
    yield database
    database.close()


def test_a_full_queue_makes_callers_wait(patient: Database, tmp_path: Path) -> None:
    metrics, records = Metrics(), [_record() for _ in range(3)]
    recording = _recorder(
        patient, tmp_path, metrics, queue=1, queue_seconds=60, durability=Durability.RELAXED
    )
    with recording as recorder, ThreadPoolExecutor(1) as thread:
        with patient.write():
            recorder.record(records[0])
            wait_for(lambda: _value(metrics, "record_queue") == 0)
            recorder.record(records[1])
            waiting = thread.submit(recorder.record, records[2])
            wait_for(lambda: _value(metrics, "record_callers_waiting") == 1)
        waiting.result(timeout=PATIENCE_SECONDS)
    assert _stored(patient) == _ids(records)
    assert _value(metrics, "record_callers_waiting") == 0


def test_who_waits_too_long_for_a_place_is_refused(patient: Database, tmp_path: Path) -> None:
    metrics, records = Metrics(), [_record() for _ in range(3)]
    recording = _recorder(
        patient, tmp_path, metrics, queue=1, queue_seconds=0, durability=Durability.RELAXED
    )
    with recording as recorder, patient.write():
        recorder.record(records[0])
        wait_for(lambda: _value(metrics, "record_queue") == 0)
        recorder.record(records[1])
        with pytest.raises(QueueFull, match="1 records wait"):
            recorder.record(records[2])
        assert _value(metrics, "unkept_records_total", why="queue_full") == 1


def test_relaxed_returns_before_the_commit_and_a_shutdown_flushes(
    patient: Database, tmp_path: Path
) -> None:
    records = [_record() for _ in range(50)]
    relaxed = _recorder(patient, tmp_path, durability=Durability.RELAXED)
    with relaxed as recorder, patient.write():
        for record in records:
            recorder.record(record)
        assert _stored(patient) == []
    assert _stored(patient) == _ids(records)


def test_after_a_failure_relaxed_tells_its_callers(local: Database, tmp_path: Path) -> None:
    metrics = Metrics()
    (tmp_path / "spool").write_text("A file where the folder should be.")
    with (
        _locked(tmp_path),
        _recorder(local, tmp_path, metrics, durability=Durability.RELAXED) as recorder,
    ):
        recorder.record(_record())
        wait_for(lambda: _value(metrics, "unkept_records_total", why="not_durable") == 1)
        with pytest.raises(SpoolFailed, match="MASKWATCH_VAR_DIR"):
            recorder.record(_record())


def test_after_a_shutdown_nothing_is_taken(database: Database, tmp_path: Path) -> None:
    with _recorder(database, tmp_path) as recorder:
        pass
    with pytest.raises(QueueClosed, match="going down"):
        recorder.record(_record())


def test_a_shutdown_leaves_what_the_database_does_not_take_in_the_spool(
    local: Database, tmp_path: Path
) -> None:
    with _locked(tmp_path), _recorder(local, tmp_path) as recorder:
        for _ in range(3):
            recorder.record(_record())
    assert Spool(tmp_path).backlog().records == 3


# That a thread ends is what happens here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_recorder_that_is_torn_down_acknowledges_nothing(
    local: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn_down(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr("inference.recording.recorder.RecordWriter.write", torn_down)
    with (
        closing(Recorder(local, Spool(tmp_path), Metrics())) as recorder,
        pytest.raises(NotRecorded, match="torn down"),
    ):
        recorder.record(_record())
