"""The end of a connection whose peer still sends."""

from asyncio import Transport
from collections.abc import Callable
from typing import Any


class PartingTransport(Transport):
    """A transport that may part from its peer before it is closed.

    Whoever closes a socket with unread bytes in it makes the system tell the peer so, which then
    throws the answer away. So this one only ends its own side, and leaves the reading to whoever
    gave it ``is_unread``.
    """

    def __init__(self, inner: Transport, is_unread: Callable[[], bool]) -> None:
        super().__init__()
        self.inner = inner
        self._is_unread = is_unread
        self.is_parting = False

    def close(self) -> None:
        """Say that nothing more comes; close at once if nothing is unread, or if said before."""
        if self.is_parting or self.inner.is_closing() or not self._is_unread():
            self.inner.close()
        else:
            self.is_parting = True
            self.inner.write_eof()

    def is_closing(self) -> bool:
        """Whether nothing more may be written."""
        return self.is_parting or self.inner.is_closing()

    def abort(self) -> None:
        """Close at once, whatever is unread or unwritten."""
        self.inner.abort()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes."""
        self.inner.write(data)

    def get_write_buffer_size(self) -> int:
        """Bytes that the peer has not taken yet."""
        return self.inner.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the connection."""
        return self.inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take no more bytes in."""
        self.inner.pause_reading()

    def resume_reading(self) -> None:
        """Take bytes in again."""
        self.inner.resume_reading()
