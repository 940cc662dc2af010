"""The spool: where records wait while the database is away.

Append-only lines, each with a checksum, each on disk before :meth:`Spool.append` returns. A line
that a power loss tore is recognised by its checksum and cut, never guessed. A whole line that this
version does not understand is set aside and holds nothing up.
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
            lines = [line for line in self._file.read_bytes().splitlines() if _is_whole(line)]
            records, foreign = _read(lines)
            write(records)
            if foreign:
                self._set_aside(foreign)
            with self._file.open("r+b") as file:
                file.truncate(0)
                os.fsync(file.fileno())
        return len(records)

    def _set_aside(self, lines: Sequence[bytes]) -> None:
        """Keep whole lines of another version for whoever can read them."""
        with self._file.with_name("foreign.jsonl").open("ab") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


def _missing_newline(file: IO[bytes]) -> bytes:
    """A newline if the last entry is torn, so that it cannot swallow the next one."""
    if file.seek(0, os.SEEK_END) == 0:
        return b""
    file.seek(-1, os.SEEK_END)
    return b"" if file.read(1) == b"\n" else b"\n"


def _is_whole(line: bytes) -> bool:
    checksum, _, body = line.partition(b" ")
    return checksum == b"%08x" % crc32(body)


def _read(lines: Sequence[bytes]) -> tuple[list[RequestRecord], list[bytes]]:
    """Records, and whole lines that another version of Maskwatch must have written."""
    records, foreign = [], []
    for line in lines:
        try:
            records.append(RequestRecord.from_json(line.partition(b" ")[2].decode()))
        except (LookupError, TypeError, ValueError):
            foreign.append(line)
    return records, foreign
