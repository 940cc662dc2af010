"""Reads JSON from front to back without keeping it: an answer may be 60 MB of numbers."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.texts.documents import read_document, split_pointer

_BLANKS = re.compile(rb"[ \t\r\n]*")
_SCALAR = re.compile(rb"[^\s,\[\]{}\"]*")
_BRACKETS = re.compile(rb'["\[\]{}]')
_PAIRS = {ord("]"): ord("["), ord("}"): ord("{")}
_MAX_DEPTH = 64
# Of brackets and texts: more would take longer than an answer may.
_MAX_TOKENS = 1 << 20
_MAX_VALUE_BYTES = 1 << 20
_MAX_SCALAR_BYTES = 1000

Handler = Callable[["JsonCursor"], object]


class JsonCursor:
    """A place in a JSON text that comes in chunks.

    Methods that read a value expect the cursor before it and leave it behind it. All raise
    AnswerUnreadable where the text is no JSON.

    Attributes:
        buffer: the part of the text that is in memory.
        at: the place in it.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._tokens = 0
        self._kept: bytearray | None = None
        self._mark = 0
        self.buffer = b""
        self.at = 0

    def grow(self) -> bool:
        """Forget what was read and take the next chunk; false at the end of the text."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._keep()
        self.buffer = self.buffer[self.at :] + chunk
        self.at = 0
        return True

    def peek(self) -> int:
        """The next byte that is not blank, which becomes the cursor's place; 0 at the end."""
        while True:
            self.at = _match_end(_BLANKS, self.buffer, self.at)
            if self.at < len(self.buffer):
                return self.buffer[self.at]
            if not self.grow():
                return 0

    def take(self, sign: str) -> None:
        """Go over a sign that has to come next."""
        if self.peek() != ord(sign):
            raise _no_json()
        self._count_token()
        self.at += 1

    def take_if(self, sign: str) -> bool:
        """Go over a sign if it comes next."""
        is_next = self.peek() == ord(sign)
        self.at += is_next
        return is_next

    def iterate_names(self) -> Iterator[str]:
        """The names of an object; whoever iterates reads the value of each.

        Raises:
            AnswerUnreadable: there is no object here, or a name stands in it twice.
        """
        names: set[str] = set()
        self.take("{")
        while not self.take_if("}"):
            if names:
                self.take(",")
            name = self._read_name()
            if name in names:
                raise AnswerUnreadable("The answer has a name twice in one object.")
            names.add(name)
            self.take(":")
            yield name

    def iterate_places(self) -> Iterator[int]:
        """The places of an array; whoever iterates reads the value of each."""
        place = 0
        self.take("[")
        while not self.take_if("]"):
            if place:
                self.take(",")
            yield place
            place += 1

    def read_value(self) -> object:
        """A value of at most 1 MB of text."""
        self.peek()
        self._kept, self._mark = bytearray(), self.at
        self.skip_value()
        text = bytes(self._kept) + self.buffer[self._mark : self.at]
        self._kept = None
        return read_document(text)

    def skip_value(self) -> None:
        """Go over a value; of arrays and objects only brackets and texts are looked at."""
        open_brackets: list[int] = []
        while True:
            sign = self._find_bracket() if open_brackets else self.peek()
            self._count_token()
            if sign == ord('"'):
                self._skip_text()
            elif sign in b"[{":
                self._open_bracket(sign, open_brackets)
            elif sign in _PAIRS:
                self._close_bracket(sign, open_brackets)
            else:
                self._skip_scalar()
            if not open_brackets:
                return

    def read_rest(self) -> Iterator[bytes]:
        """What comes behind the cursor, JSON or not."""
        rest, self.buffer, self.at = self.buffer[self.at :], b"", 0
        yield rest
        yield from self._chunks

    def _read_name(self) -> str:
        if self.peek() != ord('"'):
            raise _no_json()
        return str(self.read_value())

    def _find_bracket(self) -> int:
        """The next bracket or quotation mark, which becomes the cursor's place."""
        while True:
            match = _BRACKETS.search(self.buffer, self.at)
            if match:
                self.at = match.start()
                return self.buffer[self.at]
            self._pass_buffer()

    def _open_bracket(self, sign: int, open_brackets: list[int]) -> None:
        if len(open_brackets) >= _MAX_DEPTH:
            raise AnswerUnreadable("The answer is nested too deeply.")
        open_brackets.append(sign)
        self.at += 1

    def _close_bracket(self, sign: int, open_brackets: list[int]) -> None:
        if not open_brackets or open_brackets.pop() != _PAIRS[sign]:
            raise _no_json()
        self.at += 1

    def _skip_text(self) -> None:
        self.at += 1
        is_escaped = False
        while True:
            end = self.buffer.find(b'"', self.at)
            stop = end if end >= 0 else len(self.buffer)
            is_escaped = _ends_with_escape(self.buffer[self.at : stop], is_escaped)
            if end < 0:
                self._pass_buffer()
                continue
            self.at = end + 1
            if not is_escaped:
                return
            is_escaped = False
            self._count_token()

    def _skip_scalar(self) -> None:
        start = self.at
        self.at = _match_end(_SCALAR, self.buffer, self.at)
        while self.at == len(self.buffer):
            start -= self.at
            if not self.grow():
                break
            self.at = _match_end(_SCALAR, self.buffer, self.at)
            if self.at - start > _MAX_SCALAR_BYTES:
                break
        if not 0 < self.at - start <= _MAX_SCALAR_BYTES:
            raise _no_json()

    def _pass_buffer(self) -> None:
        """Go to the end of what is in memory and beyond it."""
        self.at = len(self.buffer)
        if not self.grow():
            raise AnswerUnreadable("The answer ends too early.")

    def _keep(self) -> None:
        """Before the buffer is given up: keep what was passed of a value that is read."""
        if self._kept is not None:
            self._kept += self.buffer[self._mark : self.at]
            self._mark = 0
            if len(self._kept) > _MAX_VALUE_BYTES:
                raise AnswerUnreadable("The answer has a value that is longer than it may be.")

    def _count_token(self) -> None:
        self._tokens += 1
        if self._tokens > _MAX_TOKENS:
            raise AnswerUnreadable("The answer has more values than this kind of answer needs.")


def walk_document(cursor: JsonCursor, handlers: Mapping[str, Handler]) -> None:
    """Read a whole document: each handler what its pointer points at, the rest is skipped.

    Raises:
        AnswerUnreadable: it is no JSON, or a pointer points at nothing.
    """
    places = {split_pointer(pointer): handler for pointer, handler in handlers.items()}
    missing = set(places)
    _walk(cursor, places, (), missing)
    if cursor.peek():
        raise AnswerUnreadable("The answer has something behind its JSON.")
    if missing:
        raise AnswerUnreadable(f"The answer has nothing at /{'/'.join(min(missing))}.")


def _walk(
    cursor: JsonCursor,
    handlers: Mapping[tuple[str, ...], Handler],
    here: tuple[str, ...],
    missing: set[tuple[str, ...]],
) -> None:
    if here in handlers:
        missing.discard(here)
        handlers[here](cursor)
        return
    is_on_the_way = any(place[: len(here)] == here for place in handlers)
    for child in _iterate_children(cursor) if is_on_the_way else ():
        _walk(cursor, handlers, (*here, child), missing)
    if not is_on_the_way:
        cursor.skip_value()


def _iterate_children(cursor: JsonCursor) -> Iterator[str]:
    """Names or places in the value that comes next; a value without any is skipped."""
    sign = cursor.peek()
    if sign == ord("{"):
        yield from cursor.iterate_names()
    elif sign == ord("["):
        yield from map(str, cursor.iterate_places())
    else:
        cursor.skip_value()


def _ends_with_escape(text: bytes, is_escaped: bool) -> bool:
    """Whether the end of a text escapes what follows.

    Args:
        is_escaped: whether something before the text escapes its beginning.
    """
    count = len(text) - len(text.rstrip(b"\\"))
    # Of backslashes in a row every second one is escaped itself.
    return (count + (is_escaped and count == len(text))) % 2 == 1


def _match_end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _no_json() -> AnswerUnreadable:
    return AnswerUnreadable("The answer is no JSON that can be read.")
