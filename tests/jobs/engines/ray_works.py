"""Work for the engines of tests: modules that the processes of Ray can import."""

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from jobs.engines.base import Recipe, Worker


@dataclass(frozen=True)
class Shouting:
    """Puts the number of the process behind each part, and dies of one of them the first time.

    Attributes:
        mark: a file that is there once a process died.
    """

    mark: Path

    def do(self, part: str) -> str:
        return part.upper()

    def recipe(self) -> Recipe:
        return Recipe(make_shouter, str(self.mark).encode())

    def pack(self, part: str) -> bytes:
        return part.encode()

    def unpack(self, answer: bytes) -> str:
        return answer.decode()


def make_shouter(material: bytes) -> Worker:
    mark = Path(material.decode())

    def shout(part: bytes) -> bytes:
        if part == b"part 5" and not mark.exists():
            mark.write_text(json.dumps(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return part.upper()

    return shout


@dataclass(frozen=True)
class Failing(Shouting):
    """Cannot be done elsewhere."""

    def recipe(self) -> Recipe:
        return Recipe(fail_to_make, b"")


def fail_to_make(material: bytes) -> Worker:
    raise OSError("no such model")


@dataclass(frozen=True)
class Waiting(Shouting):
    """Says that it began, and never ends."""

    def recipe(self) -> Recipe:
        return Recipe(make_waiter, str(self.mark).encode())


def make_waiter(material: bytes) -> Worker:
    def wait(part: bytes) -> bytes:
        Path(material.decode()).touch()
        while True:
            signal.pause()

    return wait
