"""Files and folders that are named on the command line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectors.errors import MaskwatchError
from inference.refusals import TOO_MANY_BYTES, Refusal


class FileProblem(MaskwatchError):
    """A path that cannot be read or written."""


@dataclass(frozen=True)
class File:
    """A file, and its name under ``--out``: its place inside the folder that was given."""

    path: Path
    name: Path

    def read(self, max_bytes: int) -> bytes | Refusal:
        """The content, or why it is too much; a file over the limit is not read at all.

        Raises:
            FileProblem: the file cannot be read.
        """
        try:
            if self.path.stat().st_size > max_bytes:
                return TOO_MANY_BYTES
            return self.path.read_bytes()
        except OSError as error:
            raise FileProblem(f"The file {self.path} cannot be read: {error.strerror}.") from None


def find_files(paths: Sequence[Path]) -> Iterator[File]:
    """The files themselves, and those inside of folders, in name order."""
    for path in paths:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            yield from (File(file, file.relative_to(path)) for file in files)
        else:
            yield File(path, Path(path.name))
