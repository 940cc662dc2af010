"""A short mark of a folder, by which two processes on one host know that they work in the same."""

from hashlib import sha256
from pathlib import Path

_DIGITS = 12


def mark_folder(folder: Path) -> str | None:
    """The mark, whatever path leads to the folder; ``None`` if it is not there.

    A folder that was removed and made anew has another one. Nothing about the path is in it.
    """
    try:
        status = folder.stat()
    except OSError:
        return None
    return sha256(f"{status.st_dev}:{status.st_ino}".encode()).hexdigest()[:_DIGITS]
