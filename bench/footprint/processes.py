"""``maskwatch`` commands in processes of their own, and the memory of all that they start."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from bench.gate.processes import is_alive, resident_mb
from detectors.errors import MaskwatchError
from store.configuration.names import PREFIX

_PATIENCE_SECONDS, _POLL_SECONDS = 300.0, 0.02
_STOP_SECONDS = 60.0


class CommandFailed(MaskwatchError):
    """A command did not get to where it is measured."""


@dataclass(frozen=True)
class RunningCommand:
    """A command that runs; what it prints goes to its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, look: Callable[[], bool]) -> None:
        """Return as soon as what is looked for is there.

        Raises:
            CommandFailed: the command ended before, or took too long.
        """
        until = monotonic() + _PATIENCE_SECONDS
        while not look():
            if self.process.poll() is not None or monotonic() > until:
                raise self.failure()
            sleep(_POLL_SECONDS)

    def failure(self) -> CommandFailed:
        """The end of its log as an error."""
        return CommandFailed(f"A process failed: {self.log.read_text()[-1_000:].strip()}")

    def wait_for_url(self, name: str) -> str:
        """The URL that it prints behind ``name``."""
        self.wait_for(lambda: f"{name}: " in self.log.read_text())
        return self.log.read_text().partition(f"{name}: ")[2].split()[0]

    def resident_mb(self) -> float:
        """Resident memory of it and all its descendants; shared pages count in each of them."""
        return sum(resident_mb(pid) for pid in _family(self.process.pid))


@contextmanager
def start_command(word: str, folder: Path) -> Iterator[RunningCommand]:
    """``maskwatch WORD`` on a folder of its own, with free ports; stopped at the end."""
    log = folder / f"{word}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command(word), env=environment(folder), stdout=output, stderr=output
        )
    try:
        yield RunningCommand(process, log)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def command(word: str) -> list[str]:
    """The command line of ``maskwatch WORD``."""
    return [sys.executable, "-m", "maskwatch", word]


def environment(folder: Path) -> dict[str, str]:
    """The variables of this process with no other settings than a folder and free ports."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own = {"VAR_DIR": str(folder), "PORT": "0", "DASHBOARD_PORT": "0"}
    return variables | {PREFIX + name: value for name, value in own.items()}


def _family(pid: int) -> Iterator[int]:
    if not is_alive(pid):
        return
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))
