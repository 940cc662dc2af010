"""Files that nobody but their owner may read, and the mending of those that others may."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from filelock import FileLock

OWNER_ONLY = 0o600
# What goes meanwhile, what this user may not look into, such as `lost+found`, and what would lie
# in a folder that is a file.
_PASSED_BY = (FileNotFoundError, PermissionError, NotADirectoryError)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What Maskwatch makes in the var folder. Nothing else there is touched: it may be a home folder.
_MADE = ("evidence", "models", "spool", "mail", "fingerprint.salt", "jobs.lock")
# As patterns: there is a lock for each kind of reader, and a file for each restore.
_BESIDE_DATABASE = ("", "-wal", "-shm", "-journal", "*.lock", ".before-restore*")


@dataclass(frozen=True)
class Mending:
    """What became of files that others could read.

    Attributes:
        closed: they are their owner's alone now.
        refused: another user's, so that this one may not change them.
    """

    closed: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()


def make_private(file: Path) -> None:
    """Make an empty file for its owner alone, unless there is a file; SQLite would ask the umask.

    Raises:
        OSError: it cannot be made.
    """
    # Never open one that is there: to close it would end the locks that SQLite has on it here.
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))


def private_lock(file: str | Path, wait_seconds: float, poll_seconds: float = 0.05) -> FileLock:
    """A lock on a file of its owner alone; it ends with its process.

    Where the file system has no such locks, taking it is an :class:`OSError`: the library's
    stand-in would outlive a process that died, and exclude nobody who locks in the usual way.
    """
    return FileLock(
        file,
        timeout=wait_seconds,
        mode=OWNER_ONLY,
        poll_interval=poll_seconds,
        fallback_to_soft=False,
    )


def exposed_files(var_dir: Path, database: Path | None) -> Iterator[Path]:
    """Files of Maskwatch that others may read or write; those that go meanwhile are left out.

    Args:
        database: the SQLite file; ``None`` on PostgreSQL.
    """
    for name in _MADE:
        yield from _list_exposed(var_dir / name)
    if database is not None:
        for ending in _BESIDE_DATABASE:
            for file in database.parent.glob(escape(database.name) + ending):
                yield from _list_exposed(file)


def close_to_others(var_dir: Path, database: Path | None) -> Mending:
    """Take others' rights away from every exposed file."""
    closed, refused = list[Path](), list[Path]()
    for file in exposed_files(var_dir, database):
        try:
            file.chmod(file.lstat().st_mode & ~_OTHERS)
            closed.append(file)
        except FileNotFoundError:
            continue
        except PermissionError:
            refused.append(file)
    return Mending(tuple(closed), tuple(refused))


def _list_exposed(path: Path) -> Iterator[Path]:
    """A file, or the files below a folder. Links below it are not followed."""
    with suppress(*_PASSED_BY):
        if path.is_dir():
            yield from _list_exposed_below(path)
        elif _is_exposed(path.lstat()):
            yield path


def _list_exposed_below(folder: str | Path) -> Iterator[Path]:
    # A scan, since there may be a hundred thousand pictures: a path is made of exposed ones only.
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(*_PASSED_BY):
                if entry.is_dir(follow_symlinks=False):
                    yield from _list_exposed_below(entry.path)
                elif _is_exposed(entry.stat(follow_symlinks=False)):
                    yield Path(entry.path)


def _is_exposed(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & _OTHERS)
