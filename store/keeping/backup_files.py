"""Files of a backup: they appear whole, with a checksum beside them, or not at all."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from detectors.errors import MaskwatchError
from store.engine.files.whole_files import whole_path, write_whole

# What belongs to the database and lies outside of it.
_NAMES = ("evidence", "models", "spool", "fingerprint.salt")


class BackupFailed(MaskwatchError):
    """A backup that cannot be made."""


class RestoreRefused(MaskwatchError):
    """A backup that cannot, or should not, be restored."""


@contextmanager
def create_backup_file(file: Path) -> Iterator[Path]:
    """A path to write to; it becomes ``file`` at the end, with ``file.sha256`` beside it.

    Raises:
        BackupFailed: there is such a file already, or it cannot be written.
    """
    if file.exists():
        raise BackupFailed(f"There is {file} already: name another file, or move that one away.")
    try:
        # Records name clients: a backup is nobody else's to read.
        with whole_path(file) as part:
            yield part
            _write_checksum(file, _sha256(part))
    except OSError as error:
        raise BackupFailed(
            f"The backup cannot be written to {file}: {error.strerror or error}. "
            "Free the disk or name another file."
        ) from error


def check_sum(file: Path) -> None:
    """Compare a backup with the checksum beside it.

    Raises:
        RestoreRefused: one of them is missing or they differ.
    """
    beside = checksum_file(file)
    if not file.is_file():
        raise RestoreRefused(f"There is no backup {file}: name a file of `maskwatch db backup`.")
    if not beside.is_file():
        raise RestoreRefused(
            f"The checksum {beside} is missing: copy it too, or make one with `sha256sum` if you "
            "know that the backup is whole."
        )
    try:
        words = beside.read_text(encoding="ascii", errors="replace").split()[:1]
        digest = _sha256(file)
    except OSError as error:
        raise RestoreRefused(f"The backup {file} cannot be read: {error.strerror}.") from error
    if words != [digest]:
        raise RestoreRefused(
            f"{file} is not what was backed up (its SHA-256 differs): use another."
        )


def checksum_file(file: Path) -> Path:
    """Where the checksum of a backup stands, as `sha256sum --check` reads it."""
    return file.with_name(f"{file.name}.sha256")


def back_up_files(var_dir: Path, file: Path) -> None:
    """Put evidence, models, spool and the fingerprints' secret into one tar file.

    Call it after the database is backed up: every file that a record names is there before it. What
    is deleted meanwhile is left out.

    Raises:
        BackupFailed: the file exists or cannot be written.
    """
    with create_backup_file(file) as partial, tarfile.open(partial, "w") as archive:
        for path in _list_files(var_dir):
            try:
                archive.add(path, path.relative_to(var_dir), recursive=False)
            except FileNotFoundError:
                continue


def free_name(file: Path) -> Path:
    """The path itself, or the first of ``…-2``, ``…-3`` that does not exist."""
    candidate, number = file, 1
    while candidate.exists():
        number += 1
        candidate = file.with_name(f"{file.name}-{number}")
    return candidate


def _list_files(var_dir: Path) -> Iterator[Path]:
    for name in _NAMES:
        root = var_dir / name
        if root.exists():
            yield root
            yield from sorted(root.rglob("*"))


def _write_checksum(file: Path, digest: str) -> None:
    write_whole(checksum_file(file), f"{digest}  {file.name}\n".encode("ascii"))


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return file_digest(handle, "sha256").hexdigest()
