"""Files that appear whole, durably and for this user only, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO

from store.engine.files.private_files import OWNER_ONLY

PART_SUFFIX = ".part"
"""Ends the names of files that are not whole yet."""


@contextmanager
def whole_path(path: Path, mode: int = OWNER_ONLY) -> Iterator[Path]:
    """A path to write to; what stands there takes its name when the block ends well.

    Args:
        mode: of the new file, less what the umask takes away.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    part = part_beside(path)
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield part
        sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)  # what a full disk cut short
    sync(path.parent)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """The same as an open file."""
    with whole_path(path) as part, part.open("wb") as file:
        yield file


def write_whole(path: Path, data: bytes) -> None:
    """Write durably, so that a reader sees the whole file or none.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    with whole_file(path) as file:
        file.write(data)


def write_result(path: Path, data: bytes, mode: int = OWNER_ONLY) -> None:
    """Write what a command was asked for: the whole file, or what was there before stays.

    A device or a pipe takes it as it comes: nothing may be put in its place.

    Raises:
        OSError: it cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    with whole_path(target, mode) as part:
        part.write_bytes(data)


def write_once(path: Path, data: bytes) -> None:
    """Write a whole file unless there is one; if another process is faster, its file stands.

    Raises:
        OSError: it cannot be written.
    """
    draft = part_beside(path)
    write_whole(draft, data)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def part_beside(path: Path) -> Path:
    """A free name beside a path for what is not, or no longer, to be seen under it."""
    return path.with_name(f".{path.name}.{token_hex(4)}{PART_SUFFIX}")


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
