"""What strict durability adds to a request: the time until its record is on disk, under load."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles
from time import perf_counter, sleep

from bench.store.servers import open_database
from inference.metrics import Metrics
from inference.recording.recorder import Recorder
from store.requests.records import RequestRecord
from store.spool.spool import Spool

PER_SECOND = 200
# As many as the service has for recording, and more: a late commit must not delay the next request.
_THREADS = 64


def measure_latency(kind: str, folder: Path, records: Sequence[RequestRecord]) -> dict[str, float]:
    """Milliseconds that callers wait, requests arriving at a fixed rate whatever the store does."""
    with open_database(kind, folder / "latency") as database:
        recorder = Recorder(database, Spool(folder), Metrics())
        recorder.record(records[0])  # connects
        with ThreadPoolExecutor(_THREADS) as callers:
            start = perf_counter()
            waits = []
            for number, record in enumerate(records[1:]):
                sleep(max(0.0, start + number / PER_SECOND - perf_counter()))
                waits.append(callers.submit(_milliseconds, recorder, record, perf_counter()))
            times = [wait.result() for wait in waits]
        recorder.close()
    cuts = quantiles(times, n=100)
    return {f"strict_added_ms_p50_{kind}": cuts[49], f"strict_added_ms_p99_{kind}": cuts[98]}


def _milliseconds(recorder: Recorder, record: RequestRecord, arrival: float) -> float:
    recorder.record(record)
    return (perf_counter() - arrival) * 1000
