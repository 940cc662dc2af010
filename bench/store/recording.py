"""A process that records until it is killed; each acknowledged request id goes to its output."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from time import sleep
from uuid import uuid4

import structlog

from detectors.findings import Finding
from detectors.registry import FEATURES, FeatureVector
from detectors.rule_book import NO_PERSON
from detectors.verdict import Verdict
from inference.metrics import Metrics
from inference.recording.recorder import Recorder
from inference.recording.recorder_settings import RecorderSettings
from store.engine.database import Database
from store.requests.records import RequestRecord, Stage
from store.settings import load_settings
from store.spool.spool import Spool

THREADS = 8
# Every measured feature, as a parse has them.
_FEATURES = FeatureVector.of({each.name: min(0.5, each.high) for each in FEATURES})


def new_record(number: int = 0) -> RequestRecord:
    """A request as it is usually recorded; every eighth one is flagged."""
    is_flagged = number % 8 == 7
    return RequestRecord(
        request_id=str(uuid4()),
        # The clock jumps back now and then.
        received_at=datetime.now(UTC) - timedelta(seconds=number % 3),
        client=f"ip:192.0.2.{number % 250}",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG if is_flagged else Verdict.PASS,
        status=200,
        reasons=(NO_PERSON.code,) if is_flagged else (),
        features=_FEATURES,
        findings=(Finding(NO_PERSON, {"foreground_share": 0.0}),) if is_flagged else (),
    )


def numbers(start: int, step: int) -> Iterator[int]:
    """``start``, ``start + step`` and so on, without end."""
    while True:
        yield start
        start += step


def main() -> None:
    """Record in many threads, for ever."""
    # Whoever reads the output takes each line for a request id.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = load_settings(RecorderSettings)
    recorder = Recorder(
        Database.open(settings),
        Spool(settings.store.var_dir),
        Metrics(),
        settings.records.recorder_limits(),
    )
    for first in range(THREADS):
        Thread(target=_record, args=(recorder, first), daemon=True).start()
    while True:
        sleep(60)


def _record(recorder: Recorder, first: int) -> None:
    for number in numbers(first, THREADS):
        record = new_record(number)
        recorder.record(record)
        # One short write to a pipe is whole or not there.
        os.write(sys.stdout.fileno(), f"{record.request_id}\n".encode())


if __name__ == "__main__":
    main()
