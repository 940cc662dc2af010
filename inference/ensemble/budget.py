"""How much computing the ensembles of a service may take."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


class Budget:
    """A bucket of seconds that fills at a steady rate; safe to share between threads.

    Whoever finds anything in it may take what is needed, also more than is left: then nobody gets
    any until the debt is paid. So even a look that is longer than the bucket is deep comes to its
    turn, and for long no more than the rate is spent. Kept as one number, the time at which the
    bucket will be full again (the generic cell rate algorithm, ITU-T I.371).

    Args:
        per_second: seconds of work for each second of time; 0: none at all.
        burst_seconds: how long it takes an empty bucket to be full.
    """

    def __init__(self, per_second: float, burst_seconds: float = 60.0) -> None:
        self._per_second = per_second
        self._burst_seconds = burst_seconds
        self._full_at = 0.0
        self._lock = Lock()

    def take(self, seconds: float, now: float) -> bool:
        """Take what a look will need.

        Args:
            seconds: an estimate; :meth:`settle` puts it right.
            now: monotonic time in seconds.

        Returns:
            Whether the look may begin.
        """
        with self._lock:
            full_at = max(now, self._full_at)
            if not self._per_second or full_at - now >= self._burst_seconds:
                return False
            self._full_at = full_at + seconds / self._per_second
            return True

    def settle(self, estimate: float, cost: float) -> None:
        """Replace the estimate of a look that was taken by what it needed."""
        with self._lock:
            self._full_at += (cost - estimate) / self._per_second


@dataclass(frozen=True)
class Budgets:
    """What ensembles may take, by what they are for.

    Attributes:
        every: for all of them.
        busy: for those that serve nothing but learning, while others would have to wait for them.
        is_quiet: whether somebody who came now would get a turn at once.
    """

    every: Budget
    busy: Budget
    is_quiet: Callable[[], bool]

    @classmethod
    def one(cls, budget: Budget) -> "Budgets":
        """The same for every purpose."""
        return cls(budget, budget, lambda: True)

    def choose(self, *, is_for_learning: bool) -> Budget:
        """The one that a look is taken from: learning takes the time that traffic leaves."""
        return self.busy if is_for_learning and not self.is_quiet() else self.every
