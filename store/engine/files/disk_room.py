"""How much room a disk has, and whether it takes a file at all."""

import os
from dataclasses import dataclass
from pathlib import Path

from store.engine.files.private_files import OWNER_ONLY
from store.engine.files.whole_files import part_beside

# What a kept picture takes, about: the smallest file of which many are made.
_FILE_BYTES = 65_536
# What a record and its share of the database's log take, with a margin.
_PROBE_BYTES = 65_536


@dataclass(frozen=True)
class DiskRoom:
    """Room on the disk of a folder, in bytes, as a user without privileges has it.

    Attributes:
        free_files: further files that the disk takes; ``None`` if it does not count them.
    """

    folder: Path
    free_bytes: int
    total_bytes: int
    device: int
    free_files: int | None = None

    @property
    def usable_bytes(self) -> int:
        """What still fits: a disk can be full of files while it has bytes left."""
        if self.free_files is None:
            return self.free_bytes
        return min(self.free_bytes, self.free_files * _FILE_BYTES)

    @property
    def note(self) -> str:
        """What to know beside the bytes; empty where they run out first."""
        if self.usable_bytes == self.free_bytes:
            return ""
        return f", for the disk takes only {self.free_files} more files"


def room_of(folder: Path) -> DiskRoom:
    """The room where a folder is, or is going to be made.

    Raises:
        OSError: this user may not look.
    """
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    room = os.statvfs(there)
    return DiskRoom(
        folder,
        room.f_bavail * room.f_frsize,
        room.f_blocks * room.f_frsize,
        there.stat().st_dev,
        room.f_favail if room.f_files else None,
    )


def rooms_of(var_dir: Path, database: Path | None) -> tuple[DiskRoom, ...]:
    """The room of the var folder, and that of the SQLite file if it is on another disk.

    Raises:
        OSError: this user may not look.
    """
    first = room_of(var_dir)
    second = first if database is None else room_of(database.parent)
    return (first,) if second.device == first.device else (first, second)


def write_probe(folder: Path) -> None:
    """Write, to the disk itself, as much as a record takes, and remove it.

    Raises:
        OSError: the disk is full, broken or read-only; nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = part_beside(folder / "probe")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        # A disk that compresses would take zeros for nothing.
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)
