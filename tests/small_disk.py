"""A disk of a few megabytes that can be filled: a real one, mounted for a test."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int = 8, files: int = 10_000) -> Iterator[Path]:
    """Mount it at a new folder; skips the test where this user may not.

    Args:
        files: files that it takes, folders among them.
    """
    folder.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={megabytes}m,nr_inodes={files},mode=0700", "tmpfs")
    if os.geteuid() != 0 or not _ran("mount", *options, str(folder)):
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        assert _ran("umount", "--lazy", str(folder))


def fill_disk(folder: Path) -> Path:
    """Write until nothing more goes; returns the file that has to go for room."""
    filling = folder / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        for block in (65_536, 4096, 1):
            with suppress(OSError):
                while file.write(b"x" * block):
                    pass
    return filling


def _ran(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
