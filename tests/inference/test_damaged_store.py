"""A SQLite file that is damaged while the service runs costs no record."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

from detectors.verdict import Verdict
from inference.metrics import Metrics
from inference.recording.recorder import Recorder
from store.engine.start import open_database
from store.requests.records import RequestRecord, Stage
from store.settings import StoreSettings
from store.spool.spool import Spool


def test_records_go_to_the_spool_while_the_file_is_damaged(tmp_path: Path, now: datetime) -> None:
    database = open_database(StoreSettings(var_dir=tmp_path))
    spool = Spool(tmp_path)
    database.close()
    file = tmp_path / "maskwatch.db"
    file.write_bytes(b"\xa5" * file.stat().st_size)
    record = RequestRecord(
        request_id="a" * 36,
        received_at=now,
        client="ip:192.0.2.1",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.PASS,
        status=200,
    )
    with closing(Recorder(database, spool, Metrics())) as recorder:
        recorder.record(record)
    assert not spool.is_empty()
    database.close()
