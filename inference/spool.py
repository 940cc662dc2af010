"""The spool: where records wait while the database is away.

Append-only lines, each with a checksum, each on disk before :meth:`Spool.append` returns. A line
that a power loss tore is recognised by its checksum and cut, never guessed.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO
from zlib import crc32

from filelock import FileLock, Timeout

from detectors.errors import MaskwatchError
from store.records import RequestRecord


class SpoolFailed(MaskwatchError):
    """A record could be written neither to the database nor to the spool."""

    retryable = True


class Spool:
    """One file of waiting records, shared by all processes that record."""

    def __init__(self, var_dir: Path) -> None:
        self._file = var_dir / "spool" / "requests.jsonl"
        self._lock = FileLock(f"{self._file}.lock", timeout=10)

    def append(self, record: RequestRecord) -> None:
        """Put a record on disk.

        Raises:
            SpoolFailed: the disk is full or the folder cannot be written.
        """
        line = record.to_json().encode()
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._lock, self._file.open("ab+") as file:
                file.write(_missing_newline(file) + b"%08x %s\n" % (crc32(line), line))
                file.flush()
                os.fsync(file.fileno())
        except Timeout as error:
            raise SpoolFailed(f"The spool {self._file} stays locked by another process.") from error
        except OSError as error:
            raise SpoolFailed(
                f"The record cannot be written to {self._file}: {error.strerror}. "
                "Free the disk or set MASKWATCH_VAR_DIR to another one."
            ) from error

    def is_empty(self) -> bool:
        """Whether no record waits."""
        return not self._file.exists() or self._file.stat().st_size == 0

    def replay(self, write: Callable[[Sequence[RequestRecord]], None]) -> int:
        """Hand all waiting records, in order, to ``write``; forget them once it returns.

        Does nothing while another process replays or appends: the records are in good hands.
        """
        if self.is_empty():
            return 0
        try:
            turn = self._lock.acquire(timeout=0)
        except Timeout:
            return 0
        with turn:
            records = [_read(line) for line in self._file.read_bytes().splitlines()]
            whole = [record for record in records if record is not None]
            write(whole)
            with self._file.open("r+b") as file:
                file.truncate(0)
                os.fsync(file.fileno())
        return len(whole)


def _missing_newline(file: IO[bytes]) -> bytes:
    """A newline if the last entry is torn, so that it cannot swallow the next one."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


def _read(line: bytes) -> RequestRecord | None:
    checksum, _, body = line.partition(b" ")
    if checksum != b"%08x" % crc32(body):
        return None
    return RequestRecord.from_json(body.decode())
