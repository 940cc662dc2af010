"""A fresh environment with the base profile, and the room that it takes on the disk."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from venv import EnvBuilder

from bench.footprint.processes import CommandFailed

ROOT = Path(__file__).parents[2]
_BLOCK_BYTES = 512


def measure_base_install() -> float:
    """MB of an environment into which pip installed this repository without extras.

    Raises:
        CommandFailed: pip could not install it.
    """
    with TemporaryDirectory(prefix="maskwatch-bench-") as name:
        folder = Path(name) / "environment"
        EnvBuilder(with_pip=True).create(folder)
        _install(folder)
        return measure_disk_mb(folder)


def measure_disk_mb(folder: Path) -> float:
    """MB that the files of a folder take on the disk; a file with two names counts once."""
    entries = (path.lstat() for path in [folder, *folder.rglob("*")])
    blocks = {(entry.st_dev, entry.st_ino): entry.st_blocks for entry in entries}
    return sum(blocks.values()) * _BLOCK_BYTES / 1e6


def _install(folder: Path) -> None:
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    limits = ["--constraint", str(ROOT / "constraints.txt")]
    process = subprocess.run(  # noqa: S603 - pip of the environment that was just made
        [*command, *limits, str(ROOT)], capture_output=True, text=True, check=False
    )
    if process.returncode != 0:
        raise CommandFailed(f"pip could not install {ROOT}: {process.stderr.strip()[-1_000:]}")
