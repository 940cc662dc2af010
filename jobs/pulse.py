"""The pulse of the scheduler: how long ago it last began a run, by a clock that nobody sets."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jobs.clocks.steady_clock import steady_seconds


@dataclass
class Pulse:
    """A scheduler that works.

    Attributes:
        max_idle_seconds: a longer time without a run means that it stands still.
    """

    max_idle_seconds: float
    clock: Callable[[], float] = steady_seconds
    _last: float = field(init=False)

    def __post_init__(self) -> None:
        self.beat()

    def beat(self) -> None:
        """A run begins."""
        self._last = self.clock()

    @property
    def idle_seconds(self) -> float:
        """How long ago the last run began, or the count began anew."""
        return self.clock() - self._last

    @property
    def stands_still(self) -> bool:
        """Whether no run began for longer than usual."""
        return self.idle_seconds > self.max_idle_seconds
