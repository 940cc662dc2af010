"""Keeps an answer that streams by, up to a limit."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from inference.upstream.answers.answer_file import AnswerFile
from inference.upstream.answers.errors import AnswerUnreadable

_log = structlog.get_logger(__name__)

_SMALL_BYTES = 1 << 14
_COLLECTION_BYTES = 1 << 16
# Of an answer, in memory. New memory for more takes twice the time that a file takes.
_MEMORY_BYTES = 1 << 21


def _take_freely(_count: int) -> bool:
    """Somebody else counts what is kept."""
    return True


class AnswerTap:
    """Takes the chunks of one answer; one thread fills it, then one thread drains it.

    An answer over the limit is dropped at once: half a parse is none. So is one that there is no
    room for, in memory or on disk.

    Args:
        take_memory: is told how many bytes more are to be kept, and says whether they may.
        folder: for all of an answer but its first 2 MB; without one it stays in memory.

    >>> tap = AnswerTap(limit_bytes=4)
    >>> tap.take(b"abc"); tap.take(b"d"); tap.is_whole, list(tap.drain())
    (True, [b'abcd'])
    >>> tap.take(b"e"); tap.is_whole, tap.byte_count
    (False, 5)
    """

    def __init__(
        self,
        limit_bytes: int,
        take_memory: Callable[[int], bool] = _take_freely,
        folder: Path | None = None,
    ) -> None:
        self._limit_bytes, self._take_memory, self._folder = limit_bytes, take_memory, folder
        self._chunks: deque[bytes | bytearray] = deque()
        self._file: AnswerFile | None = None
        self.byte_count = 0
        self.has_room = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing was dropped."""
        return self.has_room and self.byte_count <= self._limit_bytes

    def take(self, chunk: bytes) -> None:
        """Keep a chunk; a large one is not copied in memory."""
        self.byte_count += len(chunk)
        if self.is_whole:
            self.has_room = self._take_memory(len(chunk))
        if not self.is_whole:
            self._drop()
        elif self._folder is not None and self.byte_count > _MEMORY_BYTES:
            self._append(chunk, self._folder)
        elif len(chunk) >= _SMALL_BYTES:
            self._chunks.append(chunk)
        else:
            self._collect(chunk)

    def give_up(self) -> None:
        """Keep nothing of the answer, whatever comes."""
        self.has_room = False
        self._drop()

    def _append(self, chunk: bytes, folder: Path) -> None:
        """Put a chunk behind those in memory."""
        try:
            self._file = self._file or AnswerFile(folder)
            self._file.append(chunk)
        except OSError as error:
            _log.warning("answer not kept on disk", why=str(error))
            self.give_up()

    def _drop(self) -> None:
        self._chunks.clear()
        self._file = None

    def _collect(self, chunk: bytes) -> None:
        """Put small chunks together: each alone would take many times its bytes."""
        last = self._chunks[-1] if self._chunks else None
        if isinstance(last, bytearray) and len(last) < _COLLECTION_BYTES:
            last += chunk
        else:
            self._chunks.append(bytearray(chunk))

    def copy(self) -> "AnswerTap":
        """The same answer for another reader; the chunks are shared."""
        copy = AnswerTap(self._limit_bytes)
        copy._chunks, copy._file = deque(self._chunks), self._file
        copy.byte_count, copy.has_room = self.byte_count, self.has_room
        return copy

    def drain(self) -> Iterator[bytes]:
        """What was kept, in order; each chunk is given up as it is read.

        Raises:
            AnswerUnreadable: while iterating: the disk has it no more.
        """
        while self._chunks:
            yield bytes(self._chunks.popleft())
        file, self._file = self._file, None
        if file is not None:
            yield from _read_back(file)


def _read_back(file: AnswerFile) -> Iterator[bytes]:
    try:
        yield from file.read()
    except OSError:
        raise AnswerUnreadable("The answer cannot be read back from disk.") from None
