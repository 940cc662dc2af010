"""Finds in a stream of events what came of calls."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import read_document
from inference.upstream.answers.texts.event_stream import iterate_events

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END = 4
_COMPLETED = "process_completed"
# Events of the stream of one call, and whether each is the last one.
_NAMES = {b"complete": True, b"error": True, b"generating": False}
# Messages of the queue, likewise.
_MESSAGES = {_COMPLETED: True, "process_generating": False, "process_streaming": False}
_WORDS = (*_NAMES, b"process_")


class EventSplitter:
    """Cuts a stream into whole events, as they come.

    >>> splitter = EventSplitter(limit_bytes=100)
    >>> splitter.feed(b"data: 1"), splitter.feed(b"\\n\\ndata"), splitter.rest
    ([], [b'data: 1\\n\\n'], b'data')
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()

    @property
    def rest(self) -> bytes:
        """What came of an event that is not whole."""
        return bytes(self._rest)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that are whole now, their ends included.

        Raises:
            AnswerUnreadable: an event is larger than the limit.
        """
        events, search_at = [], max(0, len(self._rest) - _LONGEST_END)
        self._rest += chunk
        while end := _EVENT_END.search(self._rest, search_at):
            events.append(bytes(self._rest[: end.end()]))
            del self._rest[: end.end()]
            search_at = 0
        if len(self._rest) > self._limit_bytes:
            raise AnswerUnreadable("An event is larger than is read.")
        return events


@dataclass(frozen=True)
class CallResult:
    """What came of a call.

    Attributes:
        body: JSON, as an answer that came at once would have it.
        is_by_path: whether the event does not say itself which one it is.
        is_last: whether it is all that comes of it; else it is a part, or a change of one.
    """

    event_id: str
    body: bytes
    is_by_path: bool
    is_last: bool = True

    def write_failure(self, sentence: str) -> bytes:
        """An event that tells the client, in place of the result, that the call failed."""
        if self.is_by_path:
            return b"event: error\ndata: " + json.dumps(sentence).encode() + b"\n\n"
        message = {
            "msg": _COMPLETED,
            "event_id": self.event_id,
            "output": {"error": sentence},
            "success": False,
            "title": "Error",
        }
        return b"data: " + json.dumps(message).encode() + b"\n\n"


def may_hold_result(event: bytes) -> bool:
    """Whether an event is worth to be read; most are not."""
    return any(word in event for word in _WORDS)


def read_result(event: bytes, path_id: str) -> CallResult | None:
    """What an event says of a call; ``None`` if it is about something else.

    Args:
        path_id: the id in the path of the stream, for events that have none.
    """
    for name, data in iterate_events(event + b"\n\n"):
        if name in _NAMES:
            body = b'{"data":' + data + b"}"
            return CallResult(path_id, body, is_by_path=True, is_last=_NAMES[name])
        return _read_message(data)
    return None


def _read_message(data: bytes) -> CallResult | None:
    try:
        message = read_document(data)
    except AnswerUnreadable:
        return None
    if not isinstance(message, Mapping):
        return None
    kind = message.get("msg")
    if not isinstance(kind, str) or kind not in _MESSAGES:
        return None
    event_id, body = str(message.get("event_id")), json.dumps(message.get("output")).encode()
    return CallResult(event_id, body, is_by_path=False, is_last=_MESSAGES[kind])
