"""What ``maskwatch doctor`` and ``maskwatch db check`` print: one line for each thing looked at."""

from collections.abc import Callable, Iterable, Iterator
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


def tell_once(checks: Iterable[Check]) -> Iterator[Check]:
    """The checks; those that failed for the reason of an earlier one are named together, last."""
    first_names, followers = dict[str, str](), dict[str, list[str]]()
    for check in checks:
        sentence, first = check.sentence, check.name
        if check.state is State.FAIL:
            first = first_names.setdefault(sentence, check.name)
        if first == check.name:
            yield check
        else:
            followers.setdefault(sentence, []).append(check.name)
    for sentence, names in followers.items():
        why = f"Not looked at, because of what is said of {first_names[sentence]} above."
        yield Check(", ".join(names), State.FAIL, why)


def run_check(name: str, check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """A check that cannot even be made has failed, and the others go on."""
    try:
        yield from check()
    except (MaskwatchError, OSError) as error:
        yield Check(name, State.FAIL, str(error))
