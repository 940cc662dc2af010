"""The spool: where records wait while the database is away.

Append-only lines, each with a checksum, each on disk before :meth:`Spool.append` returns. An end
that a power loss tore is recognised and cut, never guessed. A line that cannot be read, damaged or
of another version, is set aside and holds nothing up.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from filelock import Timeout

from detectors.errors import MaskwatchError
from store.engine.files.private_files import OWNER_ONLY, private_lock
from store.engine.files.whole_files import sync
from store.requests.records import RequestRecord
from store.spool.spool_lines import (
    count_lines,
    cut_torn_tail,
    first_record,
    line_of,
    read_chunk,
    write_all,
)
from store.spool.spool_position import PositionFile

_log = structlog.get_logger(__name__)

# Bounds the memory of a replay, and what a crash in the middle repeats.
CHUNK_RECORDS = 1000
_POLL_SECONDS = 0.005


class NotRecorded(MaskwatchError):
    """A record is kept nowhere, so there is no answer to give."""

    retryable = True


class SpoolFailed(NotRecorded):
    """The spool cannot be used."""


@dataclass(frozen=True)
class Replay:
    """What became of the entries of one replay.

    Attributes:
        records: those that were handed over.
        aside: entries that could not be read and were set aside.
    """

    records: int = 0
    aside: int = 0

    def __bool__(self) -> bool:
        """Whether there was any."""
        return self.records + self.aside > 0


@dataclass(frozen=True)
class Backlog:
    """Records that wait.

    Attributes:
        since: when the oldest of them was received.
    """

    records: int = 0
    since: datetime | None = None


class Spool:
    """One file of waiting records, shared by all processes that record."""

    def __init__(self, var_dir: Path) -> None:
        folder = var_dir / "spool"
        self._file = folder / "requests.jsonl"
        self._foreign = folder / "foreign.jsonl"
        self._position = PositionFile(folder / "requests.position", self._file)
        lock = f"{self._file}.lock"
        self._changes = private_lock(lock, 10, _POLL_SECONDS)
        # Apart, so that records can be appended while a slow database takes earlier ones.
        self._replays = private_lock(folder / "replay.lock", 0)

    def append(self, records: Sequence[RequestRecord]) -> None:
        """Put records on disk, all of them or none.

        Raises:
            SpoolFailed: the disk is full or the folder cannot be written.
        """
        self._append(self._file, b"".join(map(line_of, records)))

    def set_aside(self, record: RequestRecord) -> None:
        """Keep a record that the database will never take where a person finds it.

        Raises:
            SpoolFailed: the disk is full or the folder cannot be written.
        """
        self._append(self._foreign, line_of(record))

    def size_bytes(self) -> int:
        """Size of the file; 0 if no record waits.

        Raises:
            SpoolFailed: this user may not look.
        """
        with self._explain_faults():
            try:
                return self._file.stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return 0

    def is_empty(self) -> bool:
        """Whether no record waits.

        Raises:
            SpoolFailed: this user may not look.
        """
        return self.size_bytes() == 0

    def backlog(self) -> Backlog:
        """What waits; reads the whole file.

        Raises:
            SpoolFailed: this user may not look.
        """
        if self.is_empty():
            return Backlog()
        with self._explain_faults():
            start = self._position.read()
            first = first_record(self._file, start)
            return Backlog(count_lines(self._file, start), first.received_at if first else None)

    def replay(
        self, write: Callable[[Sequence[RequestRecord]], None], most: int = CHUNK_RECORDS
    ) -> Replay:
        """Hand the oldest waiting records, in order, to ``write``; forget them once it returns.

        Does nothing while another process replays: the records are in good hands. If ``write``
        raises, nothing is forgotten. After a crash the same records may come again.

        Raises:
            SpoolFailed: the spool cannot be read or written.
        """
        if self.is_empty():
            return Replay()
        try:
            turn = self._replays.acquire()
        except Timeout:
            return Replay()
        with turn:
            with self._explain_faults(), self._changes, _open_file(self._file) as descriptor:
                end = cut_torn_tail(descriptor)
            with self._explain_faults():
                chunk = read_chunk(self._file, self._position.read(), end, most)
            if chunk.records:
                write(chunk.records)
            if chunk.aside:
                self._append(self._foreign, b"".join(line + b"\n" for line in chunk.aside))
                _log.warning("spool entries set aside", entries=len(chunk.aside))
            with self._explain_faults(), self._changes:
                self._forget(chunk.end)
        return Replay(len(chunk.records), len(chunk.aside))

    def _forget(self, end: int) -> None:
        if end < self._file.stat().st_size:
            self._position.write(end)
            return
        with _open_file(self._file) as descriptor:
            os.ftruncate(descriptor, 0)
            os.fsync(descriptor)
        self._position.clear()

    def _append(self, file: Path, data: bytes) -> None:
        with self._explain_faults():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._changes:
                is_new = not file.exists()
                with _open_file(file) as descriptor:
                    _append_all(descriptor, data)
                if is_new:
                    # A file whose name a power loss takes away is lost with its content.
                    sync(file.parent)
                    sync(file.parent.parent)

    @contextmanager
    def _explain_faults(self) -> Iterator[None]:
        """Say what is wrong in words."""
        try:
            yield
        except Timeout as error:
            raise SpoolFailed(f"The spool {self._file} stays locked by another process.") from error
        except OSError as error:
            raise SpoolFailed(
                f"The spool {self._file} cannot be used: {error.strerror}. "
                "Free the disk or set MASKWATCH_VAR_DIR to another one."
            ) from error


def _append_all(descriptor: int, data: bytes) -> None:
    """Append and wait for the disk, or leave the file as it was."""
    size = cut_torn_tail(descriptor)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


@contextmanager
def _open_file(file: Path) -> Iterator[int]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
