"""A copy of what an application reads, within bounds."""

from collections.abc import Iterator
from typing import Protocol


class BodyTap:
    """Keeps what passes by, up to a limit; beyond it, nothing.

    Attributes:
        size: bytes that passed by.
        is_over: whether that is more than the limit.
    """

    def __init__(self, limit_bytes: int, declared_bytes: int | None = None) -> None:
        self._limit_bytes = limit_bytes
        self._declared_bytes = declared_bytes
        self._chunks: list[bytes] = []
        self._has_end = False
        self.size = 0
        self.is_over = False

    @property
    def is_whole(self) -> bool:
        """Whether the application read the body to its end."""
        return self._has_end or self.size == self._declared_bytes

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """What was kept."""
        return tuple(self._chunks)

    def take(self, chunk: bytes) -> None:
        """Keep another piece."""
        self.size += len(chunk)
        self.is_over = self.is_over or self.size > self._limit_bytes
        if self.is_over:
            self._chunks.clear()
        elif chunk:
            self._chunks.append(chunk)

    def end(self) -> None:
        """Nothing follows."""
        self._has_end = True


class InputStream(Protocol):
    """What ``wsgi.input`` can do (PEP 3333)."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; all if none are named."""
        ...

    def readline(self, size: int = -1, /) -> bytes:
        """A line, or so many bytes of it."""
        ...

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        """Lines, until they have about so many bytes."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...


class TappedInput:
    """A body that an application reads as it would read the server's own stream."""

    def __init__(self, stream: InputStream, tap: BodyTap) -> None:
        self._stream = stream
        self._tap = tap

    def read(self, size: int = -1, /) -> bytes:
        """As the server's stream does."""
        return self._keep(self._stream.read(size), is_end=size < 0)

    def readline(self, size: int = -1, /) -> bytes:
        """As the server's stream does."""
        return self._keep(self._stream.readline(size))

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        """As the server's stream does."""
        lines = self._stream.readlines(hint)
        for line in lines:
            self._tap.take(line)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            yield self._keep(line)
        self._tap.end()

    def _keep(self, chunk: bytes, *, is_end: bool = False) -> bytes:
        self._tap.take(chunk)
        if is_end or not chunk:
            self._tap.end()
        return chunk
