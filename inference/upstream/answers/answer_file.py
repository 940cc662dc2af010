"""Bytes of one answer on disk: a large one is to take no memory while it waits to be read."""

from collections.abc import Iterator
from os import pread, write
from pathlib import Path
from tempfile import TemporaryFile
from weakref import finalize

# Written in whole blocks, for pieces across pages of the system's take half as long again.
BLOCK_BYTES = 1 << 18


class AnswerFile:
    """A file without a name: nobody else finds it, and it is gone with its last reader.

    One thread fills it, then any number read it.

    Args:
        folder: on a disk with room for it.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        file = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by finalize
        finalize(self, file.close)
        self._number = file.fileno()
        self._written_bytes = 0
        self._rest = bytearray()

    def append(self, chunk: bytes | bytearray) -> None:
        """Add bytes at the end.

        Raises:
            OSError: the disk is full, or fails.
        """
        self._rest += chunk
        whole = len(self._rest) // BLOCK_BYTES * BLOCK_BYTES
        if whole:
            self._write(bytes(self._rest[:whole]))
            del self._rest[:whole]

    def read(self) -> Iterator[bytes]:
        """All of it, from the start, in blocks.

        Raises:
            OSError: while iterating: the disk fails, or has less than was written.
        """
        for at in range(0, self._written_bytes, BLOCK_BYTES):
            block = pread(self._number, BLOCK_BYTES, at)
            if len(block) < BLOCK_BYTES:
                raise OSError("a part of the file is missing")
            yield block
        if self._rest:
            yield bytes(self._rest)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[write(self._number, left) :]
        self._written_bytes += len(data)
