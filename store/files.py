"""Content-addressed files: a name is the SHA-256 of its bytes, so a change shows."""

import os
import re
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

_DIGEST = re.compile(r"[0-9a-f]{64}")


def write_whole(path: Path, data: bytes) -> None:
    """Write durably, for this user only, so that a reader sees the whole file or none.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    partial = path.with_name(f".{path.name}.{token_hex(4)}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)  # what a full disk cut short


class FileStore:
    """A folder of immutable files, spread over 256 sub-folders."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix

    def put(self, data: bytes) -> str:
        """Write bytes durably and return their digest; the same bytes are kept once."""
        digest = sha256(data).hexdigest()
        path = self._path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, data)
        return digest

    def get(self, digest: str) -> bytes | None:
        """The bytes of a digest, or ``None`` if they are not kept."""
        path = self._path(digest)
        return path.read_bytes() if path.is_file() else None

    def has(self, digest: str) -> bool:
        """Whether the bytes of a digest are kept."""
        return self._path(digest).is_file()

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no SHA-256 digest.")
        return self._folder / digest[:2] / f"{digest}{self._suffix}"
