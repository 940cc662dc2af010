"""Content-addressed files: a name is the SHA-256 of its bytes, so a change shows."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from store.engine.files.whole_files import PART_SUFFIX, part_beside, sync, write_whole

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class KeptFile:
    """A file that lies in the folder.

    Attributes:
        used_at: when it was last put, in seconds since 1970.
    """

    digest: str
    size_bytes: int
    used_at: float


@dataclass(frozen=True)
class Removal:
    """What became of a file that was to be removed.

    Attributes:
        freed_bytes: its size; 0 if it is not there, or spared.
        is_spared: it was put again too lately to be sure that nobody needs it.
    """

    freed_bytes: int = 0
    is_spared: bool = False


class FileStore:
    """A folder of immutable files, spread over 256 sub-folders."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix

    def put(self, data: bytes) -> str:
        """Write bytes durably and return their digest; the same bytes are kept once."""
        digest = sha256(data).hexdigest()
        path = self.path_of(digest)
        with suppress(FileNotFoundError):
            os.utime(path)  # it is used again: whoever tidies up must see that
            return digest
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync(self._folder)
        write_whole(path, data)
        return digest

    def get(self, digest: str, max_bytes: int = -1) -> bytes | None:
        """The bytes of a digest, or ``None`` if they are not kept.

        Args:
            max_bytes: of a longer file only so many are read; -1 reads all.
        """
        path = self.path_of(digest)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(max_bytes)

    def has(self, digest: str) -> bool:
        """Whether the bytes of a digest are kept."""
        return self.path_of(digest).is_file()

    def remove(self, digest: str, unused_since: datetime | None) -> Removal:
        """Remove a file, unless it was put at or after a time.

        Whoever puts the same bytes meanwhile finds the name free and writes them anew, or has its
        use seen: there is no moment in which a file that was just put is lost.
        """
        path = self.path_of(digest)
        aside = part_beside(path)
        try:
            path.rename(aside)
        except FileNotFoundError:
            return Removal()
        status = aside.stat()
        if unused_since is not None and status.st_mtime >= unused_since.timestamp():
            aside.rename(path)
            return Removal(is_spared=True)
        aside.unlink()
        return Removal(status.st_size)

    def files(self) -> Iterator[KeptFile]:
        """Every file that is kept, folder by folder; one that goes meanwhile may be left out."""
        for entry in self._entries():
            digest = entry.name.removesuffix(self._suffix)
            if _DIGEST.fullmatch(digest):
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    yield KeptFile(digest, status.st_size, status.st_mtime)

    def remove_parts(self, before: datetime) -> int:
        """Remove what writers and removals left behind when they were cut off before a time."""
        parts = [Path(entry) for entry in self._entries() if entry.name.endswith(PART_SUFFIX)]
        old = [part for part in parts if part.stat().st_mtime < before.timestamp()]
        for part in old:
            part.unlink(missing_ok=True)
        return len(old)

    def path_of(self, digest: str) -> Path:
        """Where the bytes of a digest lie, if they are kept.

        Raises:
            ValueError: it is no digest.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no SHA-256 digest.")
        return self._folder / digest[:2] / f"{digest}{self._suffix}"

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        for folder in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            with os.scandir(folder) as entries:
                yield from entries
