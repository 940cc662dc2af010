"""Reading HTTP/1.1 at a bounded price: h11 with an account of what a body costs to take apart."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import h11

# Taking one chunk or one read apart costs about as much as copying and hashing so many bytes.
_BYTES_A_PIECE = 48
# A form begins with short pieces: boundaries, headers, fields. So many bytes are free, which is
# about 150 of them.
_FREE_BYTES = 8_000
# Of chunk lines and trailers, which nobody needs; h11 would search through longer ones for seconds.
_MAX_LINE_BYTES = 256
_MAX_TRAILER_BYTES = 512
_VERSIONS = {b"1.0", b"1.1"}
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


class _Place(Enum):
    """Where in a body the next byte stands."""

    CONTENT = auto()
    CHUNK_LINE = auto()
    TRAILER = auto()


class MeteredConnection(h11.Connection):
    """A server's side of a connection that refuses to read what costs too much.

    h11 reads in time that grows with the number of chunks, and with the square of blanks in a row
    where a header or a chunk line is malformed. So those are looked for before it reads.
    """

    def __init__(self, max_head_bytes: int) -> None:
        super().__init__(h11.SERVER, max_head_bytes)
        self.account = Account()
        self._max_head_bytes = max_head_bytes
        self._place = _Place.CONTENT
        self._is_refused = self._is_plain = False

    def is_unread(self) -> bool:
        """Whether the peer may be sending something that nobody will read."""
        return self._is_refused or self.their_state in (h11.SEND_BODY, h11.ERROR)

    @property
    def is_in_plain_body(self) -> bool:
        """Whether nothing but content comes: a body whose length was said before."""
        return self.their_state is h11.SEND_BODY and self._is_plain

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
        text = self._text()
        problem = self._problem(text)
        if problem:
            self._is_refused = True
            raise h11.RemoteProtocolError(problem)
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._check_version(event)
            self.account = Account()
            self._place = _first_place(event)
            self._is_plain = self._place is _Place.CONTENT
        elif isinstance(event, h11.Data):
            self.account.add_content(len(event.data))
            self._place = _Place.CHUNK_LINE if event.chunk_end else _Place.CONTENT
        elif event is h11.NEED_DATA and self._place is _Place.CHUNK_LINE:
            self._place = _place_after(text)
        return event

    def send(self, event: Any) -> Any:
        """Bytes of an answer; one that comes before the body's end is the connection's last."""
        if isinstance(event, h11.Response) and self.their_state is h11.SEND_BODY:
            event = _add_close_header(event)
        return super().send(event)

    def _check_version(self, request: h11.Request) -> None:
        """h11 reads what any version says as if it were one that it knows."""
        if request.http_version not in _VERSIONS:
            self._is_refused = True
            raise h11.RemoteProtocolError("The version is unknown.")

    def _text(self) -> bytes:
        """What h11 would read next as text, and perhaps more; nothing if that is content."""
        if self.their_state is h11.IDLE:
            return self.trailing_data[0]
        if self.their_state is h11.SEND_BODY and self._place is not _Place.CONTENT:
            return self.trailing_data[0]
        return b""

    def _problem(self, text: bytes) -> str:
        """What is wrong with that, or nothing."""
        if self.account.is_overdrawn:
            return "The framing costs more than the content."
        if self.their_state is h11.IDLE:
            return self._problem_of_head(text)
        return _problem_of_framing(text, self._place)

    def _problem_of_head(self, data: bytes) -> str:
        end = _END_OF_HEAD.search(data)
        if end is None:
            return ""
        head = data[: end.end()]
        if len(head) > self._max_head_bytes:
            return "The head is too long."
        return "The head holds a long blank." if _BLANKS in head.replace(b"\t", b" ") else ""


def _first_place(request: h11.Request) -> _Place:
    is_chunked = any(name == b"transfer-encoding" for name, _ in request.headers)
    return _Place.CHUNK_LINE if is_chunked else _Place.CONTENT


def _chunk_line(text: bytes) -> bytes:
    """Without the line end of the chunk before, of which h11 may have read a part."""
    return text.removeprefix(b"\r").removeprefix(b"\n")


def _place_after(text: bytes) -> _Place:
    """Where h11 stands when it has read a chunk line, if it is whole, and asks for more."""
    line = _chunk_line(text)
    if b"\r\n" not in line:
        return _Place.CHUNK_LINE
    return _Place.TRAILER if _LAST_CHUNK.match(line) else _Place.CONTENT


def _problem_of_framing(text: bytes, place: _Place) -> str:
    line = _chunk_line(text) if place is _Place.CHUNK_LINE else text
    if place is _Place.CHUNK_LINE and b"\r\n" not in line[:_MAX_LINE_BYTES]:
        return "A chunk line is too long." if len(line) > _MAX_LINE_BYTES else ""
    is_trailer = place is _Place.TRAILER or _LAST_CHUNK.match(line)
    if not is_trailer or len(line) <= _MAX_TRAILER_BYTES or line.startswith(b"\r\n"):
        return ""
    return "" if b"\r\n\r\n" in line[:_MAX_TRAILER_BYTES] else "The trailer is too long."


def _add_close_header(answer: h11.Response) -> h11.Response:
    """The answer with ``Connection: close``, once."""
    headers = [(name, value) for name, value in answer.headers if name != b"connection"]
    return h11.Response(
        status_code=answer.status_code,
        headers=[*headers, (b"connection", b"close")],
        reason=answer.reason,
    )
