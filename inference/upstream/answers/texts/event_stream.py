"""Gradio's ways to give the outputs of a call: as JSON, or at the end of a stream of events."""

import re
from collections.abc import Iterator, Mapping, Sequence

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import find_list, read_document

_LINE_END = re.compile(rb"\r\n|\r|\n")
_MEDIA_TYPE = "text/event-stream"


def read_outputs(content_type: str, body: bytes) -> Sequence[object]:
    """The outputs of the one call that a body answers.

    ``/run`` answers JSON, ``/call/{api}/{event_id}`` an event ``complete``, and ``/queue/data`` a
    message ``process_completed``.

    Raises:
        AnswerUnreadable: there are none, or those of several calls.
    """
    if content_type.partition(";")[0].strip().lower() != _MEDIA_TYPE:
        return find_list(read_document(body), "/data")
    outputs = [found for event in iterate_events(body) if (found := _find_outputs(*event))]
    if len(outputs) != 1:
        raise AnswerUnreadable("The stream of events has not the outputs of exactly one call.")
    return outputs[0]


def iterate_events(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of each event of a stream (WHATWG HTML, server-sent events).

    >>> list(iterate_events(b"event: complete\\ndata: [1,\\ndata: 2]\\n\\ndata: x\\n\\n"))
    [(b'complete', b'[1,\\n2]'), (b'message', b'x')]
    """
    name, data = b"message", []
    for line in _iterate_lines(body):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            name = value
        elif field == b"data":
            data.append(value)
        elif not line:
            if data:
                yield name, b"\n".join(data)
            name, data = b"message", []


def _iterate_lines(body: bytes) -> Iterator[bytes]:
    at = 0
    for end in _LINE_END.finditer(body):
        yield body[at : end.start()]
        at = end.end()


def _find_outputs(name: bytes, data: bytes) -> Sequence[object] | None:
    if name == b"complete":
        return find_list(read_document(data), "")
    if name != b"message":
        return None
    message = read_document(data)
    if not isinstance(message, Mapping) or message.get("msg") != "process_completed":
        return None
    return find_list(message, "/output/data")
