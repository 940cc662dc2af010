"""Results of calls in streams of events."""

import json

import pytest

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.call_results import (
    CallResult,
    EventSplitter,
    may_hold_result,
    read_result,
)

MESSAGE = {"msg": "process_completed", "event_id": "e1", "output": {"data": [1]}, "success": True}


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
@pytest.mark.parametrize("step", [1, 2, 3, 7, 100])
def test_events_are_whole_however_they_are_cut(end: bytes, step: int) -> None:
    stream = [b"data: 1" + end, b"event: x" + end[: len(end) // 2] + b"data: 2" + end]
    splitter, events = EventSplitter(100), []
    data = b"".join(stream) + b"data"
    for at in range(0, len(data), step):
        events += splitter.feed(data[at : at + step])
    assert (events, splitter.rest) == (stream, b"data")


def test_an_event_without_an_end_is_given_up() -> None:
    splitter = EventSplitter(10)
    with pytest.raises(AnswerUnreadable):
        splitter.feed(b"x" * 11)


def test_a_message_of_the_queue_names_its_event() -> None:
    event = b"data: " + json.dumps(MESSAGE).encode() + b"\n\n"
    assert may_hold_result(event)
    assert read_result(event, "path") == CallResult("e1", b'{"data": [1]}', is_by_path=False)


@pytest.mark.parametrize("name", [b"complete", b"error"])
def test_an_event_of_a_call_is_named_by_the_path(name: bytes) -> None:
    event = b"event: " + name + b"\ndata: [1]\n\n"
    assert may_hold_result(event)
    assert read_result(event, "path") == CallResult("path", b'{"data":[1]}', is_by_path=True)


@pytest.mark.parametrize(
    "event",
    [
        b'data: {"msg": "estimation"}\n\n',
        b"data: process_completed\n\n",
        b'data: ["process_completed"]\n\n',
        b": comment\n\n",
    ],
)
def test_other_events_are_no_results(event: bytes) -> None:
    assert read_result(event, "path") is None


@pytest.mark.parametrize("is_by_path", [True, False])
def test_a_failure_is_an_event_of_the_same_kind(is_by_path: bool) -> None:
    written = CallResult("e1", b"", is_by_path).write_failure("No.\n\n")
    assert EventSplitter(1000).feed(written) == [written]
    result = read_result(written, "e1")
    assert result is not None
    assert (result.event_id, result.is_by_path) == ("e1", is_by_path)


@pytest.mark.parametrize(
    "event",
    [
        b"event: generating\ndata: [1]\n\n",
        b'data: {"msg": "process_generating", "event_id": "path", "output": {"data": [1]}}\n\n',
        b'data: {"msg": "process_streaming", "event_id": "path", "output": {"data": [1]}}\n\n',
    ],
)
def test_parts_of_results_are_not_their_ends(event: bytes) -> None:
    result = read_result(event, "path")
    assert may_hold_result(event)
    assert result is not None
    assert (result.event_id, result.is_last, json.loads(result.body)) == (
        "path",
        False,
        {"data": [1]},
    )
