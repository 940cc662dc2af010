"""Keeps an answer that streams by, up to a limit."""

from collections import deque
from collections.abc import Callable, Iterator

_SMALL_BYTES = 1 << 14
_COLLECTION_BYTES = 1 << 16


def _take_freely(_count: int) -> bool:
    """Somebody else counts what is kept."""
    return True


class AnswerTap:
    """Takes the chunks of one answer; one thread fills it, then one thread drains it.

    An answer over the limit is dropped at once: half a parse is none. So is one that memory is
    missing for.

    Args:
        take_memory: is told how many bytes more are to be kept, and says whether they may.

    >>> tap = AnswerTap(limit_bytes=4)
    >>> tap.take(b"abc"); tap.take(b"d"); tap.is_whole, list(tap.drain())
    (True, [b'abcd'])
    >>> tap.take(b"e"); tap.is_whole, tap.byte_count
    (False, 5)
    """

    def __init__(self, limit_bytes: int, take_memory: Callable[[int], bool] = _take_freely) -> None:
        self._limit_bytes, self._take_memory = limit_bytes, take_memory
        self._chunks: deque[bytes | bytearray] = deque()
        self.byte_count = 0
        self.has_room = True

    @property
    def is_whole(self) -> bool:
        """Whether nothing was dropped."""
        return self.has_room and self.byte_count <= self._limit_bytes

    def take(self, chunk: bytes) -> None:
        """Keep a chunk; a large one is not copied."""
        self.byte_count += len(chunk)
        if self.is_whole:
            self.has_room = self._take_memory(len(chunk))
        if not self.is_whole:
            self._chunks.clear()
        elif len(chunk) >= _SMALL_BYTES:
            self._chunks.append(chunk)
        else:
            self._collect(chunk)

    def give_up(self) -> None:
        """Keep nothing of the answer, whatever comes."""
        self.has_room = False
        self._chunks.clear()

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
        copy._chunks = deque(self._chunks)
        copy.byte_count, copy.has_room = self.byte_count, self.has_room
        return copy

    def drain(self) -> Iterator[bytes]:
        """What was kept, in order; each chunk is given up as it is read."""
        while self._chunks:
            yield bytes(self._chunks.popleft())
