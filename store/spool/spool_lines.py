"""The spool's file format: one record a line, behind a checksum of the line."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zlib import crc32

import structlog

from detectors.errors import MaskwatchError
from store.requests.records import RequestRecord

_log = structlog.get_logger(__name__)

# No record is nearly as long: what is longer is damage, and must not fill the memory.
LONGEST_BYTES = 16_000_000
_BLOCK_BYTES = 65_536
_MAX_CHUNK_BYTES = 16_000_000


@dataclass(frozen=True)
class Chunk:
    """Entries that follow each other in the spool.

    Attributes:
        aside: entries that cannot be read: damaged, or of another version.
        end: where the next entry begins, in bytes.
    """

    records: tuple[RequestRecord, ...]
    aside: tuple[bytes, ...]
    end: int


def line_of(record: RequestRecord) -> bytes:
    """A record as its line, with the newline."""
    body = record.to_json().encode()
    return b"%08x %s\n" % (crc32(body), body)


def is_whole(line: bytes) -> bool:
    """Whether a line, without its newline, is as it was written."""
    checksum, _, body = line.partition(b" ")
    return checksum == b"%08x" % crc32(body)


def read_chunk(file: Path, start: int, end: int, most: int) -> Chunk:
    """At most ``most`` entries between two places, and not many megabytes of them."""
    records: list[RequestRecord] = []
    aside: list[bytes] = []
    position = start
    with file.open("rb") as stream:
        stream.seek(start)
        for line in _lines(stream):
            if position >= end or len(records) + len(aside) >= most:
                break
            position += len(line)
            record = _record(line.rstrip(b"\n"))
            if record is not None:
                records.append(record)
            elif line.strip():
                aside.append(line.rstrip(b"\n"))
            if position - start >= _MAX_CHUNK_BYTES:
                break
    return Chunk(tuple(records), tuple(aside), position)


def first_record(file: Path, start: int) -> RequestRecord | None:
    """The first entry from a place on that can be read."""
    with file.open("rb") as stream:
        stream.seek(start)
        readable = (_record(line.rstrip(b"\n")) for line in _lines(stream))
        return next((record for record in readable if record is not None), None)


def count_lines(file: Path, start: int) -> int:
    """Entries from a place on."""
    with file.open("rb") as stream:
        stream.seek(start)
        blocks = iter(lambda: stream.read(_BLOCK_BYTES), b"")
        return sum(block.count(b"\n") for block in blocks)


def cut_torn_tail(descriptor: int) -> int:
    """Make the file end with a whole entry; give its size.

    What follows the last newline was torn by a power loss before anybody was told that it is safe.
    It is cut, unless nothing but its newline is missing.
    """
    size = os.fstat(descriptor).st_size
    end = _last_newline(descriptor, size) + 1
    if end == size:
        return size
    if size - end <= LONGEST_BYTES and is_whole(os.pread(descriptor, size - end, end)):
        os.pwrite(descriptor, b"\n", size)
        return size + 1
    os.ftruncate(descriptor, end)
    _log.warning("torn spool entry cut", bytes=size - end)
    return end


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: the system may take a part at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.readline(LONGEST_BYTES), b"")


def _record(line: bytes) -> RequestRecord | None:
    """The record of a whole line of this version; ``None`` for any other."""
    if not is_whole(line):
        return None
    try:
        return RequestRecord.from_json(line.partition(b" ")[2].decode())
    except (LookupError, TypeError, ValueError, MaskwatchError):
        return None


def _last_newline(descriptor: int, size: int) -> int:
    """Where the last newline is; -1 if there is none."""
    for start in _block_starts(size):
        offset = os.pread(descriptor, min(_BLOCK_BYTES, size - start), start).rfind(b"\n")
        if offset >= 0:
            return start + offset
    return -1


def _block_starts(size: int) -> Iterable[int]:
    return range((size - 1) // _BLOCK_BYTES * _BLOCK_BYTES, -1, -_BLOCK_BYTES)
