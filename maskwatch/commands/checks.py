"""What ``maskwatch doctor`` and ``maskwatch db check`` print: one line for each thing looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from detectors.errors import MaskwatchError


class State(StrEnum):
    """How a check ended; only ``fail`` stands in the way."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


_MARKS = {State.OK: "ok  ", State.WARN: "warn", State.FAIL: "FAIL"}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    sentence: str

    def to_text(self) -> str:
        """One line for people."""
        return f"{_MARKS[self.state]} {self.name}: {self.sentence}"


def run_check(name: str, check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """A check that cannot even be made has failed, and the others go on."""
    try:
        yield from check()
    except (MaskwatchError, OSError) as error:
        yield Check(name, State.FAIL, str(error))
