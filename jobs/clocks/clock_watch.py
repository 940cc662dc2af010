"""Notice when somebody puts the clock forward or back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.clocks.steady_clock import steady_seconds

# A clock that is set right bit by bit gains or loses less than a second between two looks.
MIN_STEP_SECONDS = 5.0
# Both clocks have to be read together: a process that stood still in between would see a step.
_MAX_READING_SECONDS = 0.5


@dataclass(frozen=True)
class ClockStep:
    """One step of the clock.

    Attributes:
        seconds: how far it went; negative if it went back.
        noticed_at: by the clock as it is now.
    """

    seconds: float
    noticed_at: datetime


class ClockWatch:
    """Compares the time of day with a clock that nobody sets.

    Args:
        now: the time of day, UTC.
        steady: seconds that go on whatever becomes of the time of day.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._now, self._steady = now, steady
        self._offset = self._read()[1]

    def look(self) -> ClockStep | None:
        """The step since the last look, if there was one."""
        now, offset = self._read()
        seconds, self._offset = offset - self._offset, offset
        return ClockStep(seconds, now) if abs(seconds) >= MIN_STEP_SECONDS else None

    def _read(self) -> tuple[datetime, float]:
        while True:
            before, now = self._steady(), self._now()
            if self._steady() - before < _MAX_READING_SECONDS:
                return now, now.timestamp() - before
