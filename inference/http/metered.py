"""Reading HTTP/1.1 at a bounded price: h11 with an account of what a body costs to take apart."""

import re
from dataclasses import dataclass
from typing import Any

import h11

# Taking one chunk or one read apart costs about as much as copying and hashing so many bytes.
_BYTES_A_PIECE = 48
# A form begins with short pieces: boundaries, headers, fields. So many bytes are free, which is
# about 150 of them.
_FREE_BYTES = 8_000
# Of chunk lines and trailers, which nobody needs; h11 would search through longer ones for seconds.
_MOST_LINE_BYTES = 256
_MOST_TRAILER_BYTES = 512
_BLANKS = b" " * 256
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_LAST_CHUNK = re.compile(rb"0+[ \t;\r]")


@dataclass
class Account:
    """What a request's body cost to take apart, against what it brought.

    Attributes:
        pieces: reads from the socket, and chunks or parts of them in these.
        wire_bytes: that were read and taken apart, framing included.
        content_bytes: of the body itself.
    """

    pieces: int = 0
    wire_bytes: int = 0
    content_bytes: int = 0
    _last_read: int = 0

    def add_read(self, size: int) -> None:
        """Bytes came from the socket; those that came before them are taken apart by now."""
        self.pieces += 1
        self.wire_bytes += self._last_read
        self._last_read = size

    def add_content(self, size: int) -> None:
        """A chunk, or a part of one, was taken out of them."""
        self.pieces += 1
        self.content_bytes += size

    @property
    def is_overdrawn(self) -> bool:
        """Whether the framing costs far more than the content.

        Chunks of 64 bytes and more never come here, and neither do chunks of 128 bytes that all
        come in packets of their own. Single bytes come here after about 150.
        """
        framing_bytes = max(0, self.wire_bytes - self.content_bytes)
        return self.pieces * _BYTES_A_PIECE + framing_bytes > self.content_bytes + _FREE_BYTES


class MeteredConnection(h11.Connection):
    """A server's side of a connection that refuses to read what costs too much.

    h11 reads in time that grows with the number of chunks, and with the square of blanks in a row
    where a header or a chunk line is malformed. So those are looked for before it reads.
    """

    def __init__(self, most_head_bytes: int) -> None:
        super().__init__(h11.SERVER, most_head_bytes)
        self.account = Account()
        self._most_head_bytes = most_head_bytes
        self._at_chunk_line = False
        self._is_refused = False

    def is_unread(self) -> bool:
        """Whether the peer may be sending something that nobody will read."""
        return self._is_refused or self.their_state in (h11.SEND_BODY, h11.ERROR)

    def receive_data(self, data: bytes) -> None:
        """Take bytes in, and count them if they belong to a body."""
        if self.their_state is h11.SEND_BODY:
            self.account.add_read(len(data))
        super().receive_data(data)

    def next_event(self) -> Any:
        """What the peer said next.

        Raises:
            h11.RemoteProtocolError: it is no HTTP, or costs too much to read.
        """
        problem = self._problem()
        if problem:
            self._is_refused = True
            raise h11.RemoteProtocolError(problem)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.account = Account()
            self._at_chunk_line = any(name == b"transfer-encoding" for name, _ in event.headers)
        elif isinstance(event, h11.Data):
            self.account.add_content(len(event.data))
            self._at_chunk_line = event.chunk_end
        return event

    def send(self, event: Any) -> Any:
        """Bytes of an answer; one that comes before the body's end is the connection's last."""
        if isinstance(event, h11.Response) and self.their_state is h11.SEND_BODY:
            event = _closing(event)
        return super().send(event)

    def _problem(self) -> str:
        """What is wrong with what h11 would read next, or nothing."""
        if self.account.is_overdrawn:
            return "The framing costs more than the content."
        if self.their_state is h11.IDLE:
            return self._problem_of_head(self.trailing_data[0])
        if self.their_state is h11.SEND_BODY and self._at_chunk_line:
            return _problem_of_chunk_line(self.trailing_data[0])
        return ""

    def _problem_of_head(self, received: bytes) -> str:
        end = _END_OF_HEAD.search(received)
        if end is None:
            return ""
        head = received[: end.end()]
        if len(head) > self._most_head_bytes:
            return "The head is too long."
        return "The head holds a long blank." if _BLANKS in head.replace(b"\t", b" ") else ""


def _problem_of_chunk_line(received: bytes) -> str:
    text = received.removeprefix(b"\r\n")
    if len(text) > _MOST_LINE_BYTES and b"\r\n" not in text[:_MOST_LINE_BYTES]:
        return "A chunk line is too long."
    if not _LAST_CHUNK.match(text) or len(text) <= _MOST_TRAILER_BYTES:
        return ""
    return "" if b"\r\n\r\n" in text[:_MOST_TRAILER_BYTES] else "The trailer is too long."


def _closing(answer: h11.Response) -> h11.Response:
    """The answer with ``Connection: close``, once."""
    headers = [(name, value) for name, value in answer.headers if name != b"connection"]
    return h11.Response(
        status_code=answer.status_code,
        headers=[*headers, (b"connection", b"close")],
        reason=answer.reason,
    )
