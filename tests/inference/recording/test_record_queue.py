"""When a group is complete."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import monotonic

import pytest

from detectors.verdict import Verdict
from inference.recording.record_queue import QueueClosed, RecordQueue
from inference.recording.recorder_settings import RecorderLimits
from store.requests.records import RequestRecord, Stage
from tests.waiting import PATIENCE_SECONDS, wait_for

# Longer than any test may take: who waits for it hangs.
FOREVER = 10_000.0


def _record(number: int) -> RequestRecord:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return RequestRecord(f"{number}", moment, "cli:local", "cli", Stage.GATE, Verdict.REFUSE, 422)


def _fill(queue: RecordQueue, count: int) -> None:
    for number in range(count):
        queue.put(_record(number))


def _taken(queue: RecordQueue) -> list[int]:
    group = queue.take()
    return [int(record.request_id) for record in group.records] if group else []


def test_a_full_group_does_not_wait_and_keeps_the_order() -> None:
    queue = RecordQueue(RecorderLimits(wait_seconds=FOREVER, batch=3))
    _fill(queue, 7)
    assert [_taken(queue), _taken(queue)] == [[0, 1, 2], [3, 4, 5]]
    assert len(queue) == 1


def test_a_group_goes_when_its_oldest_record_has_waited_long_enough() -> None:
    queue = RecordQueue(RecorderLimits(wait_seconds=0.05))
    queued_at = monotonic()
    _fill(queue, 2)
    assert _taken(queue) == [0, 1]
    assert monotonic() - queued_at >= 0.05


def test_without_a_wait_whatever_is_there_goes() -> None:
    queue = RecordQueue(RecorderLimits(wait_seconds=0))
    _fill(queue, 2)
    assert _taken(queue) == [0, 1]


def test_a_record_that_finds_the_writer_idle_goes_at_once() -> None:
    queue = RecordQueue(RecorderLimits(wait_seconds=FOREVER))
    with ThreadPoolExecutor(1) as writer:
        taken = writer.submit(_taken, queue)
        wait_for(taken.running)
        # The thread runs; once it has looked and found nothing, it holds no lock and waits.
        wait_for(lambda: bool(queue._arrival._waiters))  # type: ignore[attr-defined]
        queue.put(_record(4))
        assert taken.result(timeout=PATIENCE_SECONDS) == [4]


def test_a_queue_smaller_than_a_group_is_full_as_a_group() -> None:
    queue = RecordQueue(RecorderLimits(wait_seconds=FOREVER, batch=100, queue=2))
    _fill(queue, 2)
    assert _taken(queue) == [0, 1]


def test_a_closed_queue_gives_what_it_holds_and_takes_nothing() -> None:
    queue = RecordQueue(RecorderLimits(wait_seconds=FOREVER))
    _fill(queue, 2)
    queue.close()
    with pytest.raises(QueueClosed):
        queue.put(_record(9))
    assert [_taken(queue), _taken(queue)] == [[0, 1], []]
