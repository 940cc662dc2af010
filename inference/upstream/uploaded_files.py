"""Files that an upstream took in through us, by the paths that it gave them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from inference.upstream.kept_map import KeepLimits, KeptMap

Gated = TypeVar("Gated")


@dataclass
class _UploadedFile(Generic[Gated]):
    gated: Gated
    is_called: bool = False


class UploadedFiles(Generic[Gated]):
    """What the gate said of each file, for the calls that name its path.

    A file that is forgotten before any call named it is given back, for it has no record yet.
    """

    def __init__(self, limits: KeepLimits, clock: Callable[[], float] = monotonic) -> None:
        self._files: KeptMap[_UploadedFile[Gated]] = KeptMap(limits, clock)

    def __len__(self) -> int:
        return len(self._files)

    def add(self, path: str, gated: Gated, size_bytes: int) -> list[Gated]:
        """Remember a file; those that are forgotten for it without a call."""
        return _list_uncalled(self._files.add(path, _UploadedFile(gated), size_bytes))

    def find(self, path: str) -> Gated | None:
        """What the gate said of a file, if it was uploaded here."""
        file = self._files.find(path)
        return None if file is None else file.gated

    def note_call(self, path: str) -> None:
        """Note that a call named a file and that its record is the call's."""
        if (file := self._files.find(path)) is not None:
            file.is_called = True

    def expire(self) -> list[Gated]:
        """Forget what is too old; that without a call."""
        return _list_uncalled(self._files.expire())

    def clear(self) -> list[Gated]:
        """Forget everything; that without a call."""
        return _list_uncalled(self._files.clear())


def _list_uncalled(files: Iterable[_UploadedFile[Gated]]) -> list[Gated]:
    return [file.gated for file in files if not file.is_called]
