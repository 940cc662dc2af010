"""How far the spool has been replayed, so that a crash repeats a chunk and not the whole file."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from store.engine.files.whole_files import write_whole

_log = structlog.get_logger(__name__)
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Position:
    """A place in the spool's file.

    Attributes:
        offset: bytes that are replayed.
        head: hash of the file's first bytes. The file is emptied when all of it is replayed, and a
            position in an earlier content must never hide entries of a later one.
    """

    offset: int
    head: str

    @classmethod
    def at(cls, file: Path, offset: int) -> "Position":
        """The position of an offset in a file."""
        with file.open("rb") as stream:
            return cls(offset, sha256(stream.read(min(offset, _HEAD_BYTES))).hexdigest())

    def holds_for(self, file: Path) -> bool:
        """Whether it was taken in what the file holds now."""
        return self.offset <= file.stat().st_size and self == Position.at(file, self.offset)


class PositionFile:
    """Remembers a position on disk, and in memory where the disk is full."""

    def __init__(self, path: Path, spool: Path) -> None:
        self._path = path
        self._spool = spool
        self._last: Position | None = None

    def read(self) -> int:
        """Where to go on; 0 if nothing is known for what the spool holds now."""
        positions = [each for each in (self._last, self._read_file()) if each is not None]
        return max((each.offset for each in positions if each.holds_for(self._spool)), default=0)

    def write(self, offset: int) -> None:
        """Remember a position."""
        self._last = Position.at(self._spool, offset)
        try:
            write_whole(self._path, json.dumps(asdict(self._last)).encode())
        except OSError as error:
            # After a restart a longer part is replayed again, which stores nothing twice.
            _log.warning("spool position not written", why=error.strerror)

    def clear(self) -> None:
        """Forget it: the spool is empty."""
        self._last = None
        self._path.unlink(missing_ok=True)

    def _read_file(self) -> Position | None:
        try:
            content = json.loads(self._path.read_bytes())
            return Position(int(content["offset"]), str(content["head"]))
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return None
