"""Decides which exchanges are looked at, so that looks never become a burden."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from inference.metrics import Metrics
from inference.upstream.looks.allowance import Allowance
from inference.upstream.looks.breaker import Breaker
from inference.upstream.looks.pace import Pace

# What is saved up at most: seconds of the upstream, and exchanges.
_MOST_SECONDS = 60.0
_MOST_EXCHANGES = 10.0


class Skip(StrEnum):
    """Why an exchange is not looked at."""

    NOT_CHOSEN = "not_chosen"
    """It is neither odd nor in the sample."""

    OVER_SHARE = "over_share"
    """It is odd, and so are more than may be looked at for that."""

    OVER_BUDGET = "over_budget"
    """Looks have used their share of the upstream's time."""

    BUSY = "busy"
    """Others are looked at."""

    QUEUE = "queue"
    """Many answers wait to be checked."""

    SLOW = "slow"
    """The upstream is slower than usual."""

    FAILING = "failing"
    """The upstream fails, or fails to answer looks."""

    CLOSING = "closing"
    """The process ends."""


@dataclass(frozen=True)
class LookLimits:
    """How much of an upstream looks may take.

    Attributes:
        max_exchanges: that are looked at at the same time.
        odd_share: of all exchanges, those that are looked at because they are odd.
        time_share: of the time that the upstream works on pictures.
    """

    max_exchanges: int
    odd_share: float
    time_share: float


class LookGate:
    """Lets few exchanges be looked at; safe to share between threads.

    Nobody waits here: an exchange without a place is not looked at.

    Args:
        has_room: whether few answers wait to be checked.
    """

    def __init__(
        self,
        limits: LookLimits,
        metrics: Metrics,
        has_room: Callable[[], bool],
        new_breaker: Callable[[], Breaker] = Breaker,
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        self._has_room = has_room
        self._exchanges = Allowance(limits.odd_share, _MOST_EXCHANGES)
        # A share of the clients' seconds and of its own.
        self._seconds = Allowance(limits.time_share / (1 - limits.time_share), _MOST_SECONDS)
        self._pace = Pace()
        # Looks may fail where clients do not, as without their credentials.
        self._client_breaker, self._look_breaker = new_breaker(), new_breaker()
        self._entered = 0
        # Seconds of the last exchange that was looked at: the next one may well take as long.
        self._exchange_seconds = 0.0
        self._is_closed = False
        self._lock = Lock()

    def note_answer(self, seconds: float) -> None:
        """Count an answer that a client got from the upstream."""
        self._metrics.upstream_seconds.labels("clients").inc(seconds)
        with self._lock:
            self._pace.note(seconds)
            self._seconds.earn(seconds)
            self._exchanges.earn(1)
            self._client_breaker.note_success()

    def note_failure(self) -> None:
        """Count an exchange with a client that failed."""
        with self._lock:
            self._client_breaker.note_failure()

    def note_look(self, seconds: float, outcome: str, *, is_failure: bool) -> None:
        """Count one request of a look, and what came of it."""
        self._metrics.upstream_seconds.labels("looks").inc(seconds)
        self._metrics.upstream_look_requests.labels(outcome).inc()
        with self._lock:
            self._seconds.spend(seconds)
            if is_failure:
                self._look_breaker.note_failure()
            else:
                self._look_breaker.note_success()

    @contextmanager
    def visit(self) -> Iterator["Visit"]:
        """One exchange, which may be looked at until this ends."""
        visit = Visit(self)
        try:
            yield visit
        finally:
            if visit.is_open:
                self._leave(visit.seconds)
            if visit.outcome:
                self._metrics.upstream_looks.labels(visit.outcome).inc()

    def enter(self, *, is_sampled: bool, is_odd: bool) -> Skip | None:
        """Take a place; why there is none."""
        with self._lock:
            skip = self._find_reason(is_sampled=is_sampled, is_odd=is_odd)
            if skip is None:
                self._entered += 1
                if not is_sampled:
                    self._exchanges.spend(1)
            return skip

    def _leave(self, seconds: float) -> None:
        with self._lock:
            self._entered -= 1
            # One that turned out to need no look says nothing about those that do.
            self._exchange_seconds = seconds or self._exchange_seconds

    def close(self) -> None:
        """Let nothing more be looked at."""
        with self._lock:
            self._is_closed = True

    def _find_reason(self, *, is_sampled: bool, is_odd: bool) -> Skip | None:
        reasons = {
            Skip.CLOSING: self._is_closed,
            Skip.NOT_CHOSEN: not (is_sampled or is_odd),
            Skip.OVER_SHARE: not (is_sampled or self._exchanges.has_any),
            Skip.OVER_BUDGET: not self._seconds.has(self._exchange_seconds * (self._entered + 1)),
            Skip.BUSY: self._entered >= self._limits.max_exchanges,
            Skip.QUEUE: not self._has_room(),
            Skip.SLOW: self._pace.is_slow,
        }
        skip = next((reason for reason, holds in reasons.items() if holds), None)
        if skip is None and not self._may_try():
            return Skip.FAILING
        return skip

    def _may_try(self) -> bool:
        """Last of all, for whoever is told yes has to try."""
        return self._client_breaker.may_try() and self._look_breaker.may_try()


class Visit:
    """One exchange at the gate; used by one thread.

    Attributes:
        outcome: for the figures: whether it was looked at, or why not; empty if nobody asked.
        is_open: whether it has a place.
        seconds: that its looks took of the upstream.
    """

    def __init__(self, gate: LookGate) -> None:
        self._gate = gate
        self.outcome = ""
        self.is_open = False
        self.has_failed = False
        self.seconds = 0.0

    def enter(self, choose: Callable[[], tuple[bool, bool]]) -> bool:
        """Whether it may be looked at: decided once, and no longer after a look has failed.

        Args:
            choose: whether it is in the sample, and whether it is odd.
        """
        if not self.outcome:
            is_sampled, is_odd = choose()
            skip = self._gate.enter(is_sampled=is_sampled, is_odd=is_odd)
            self.is_open = skip is None
            self.outcome = "not_needed" if skip is None else skip.value
        return self.is_open and not self.has_failed

    def note(self, seconds: float, outcome: str, *, is_failure: bool) -> None:
        """Count one request."""
        self.has_failed = self.has_failed or is_failure
        self.outcome = "failed" if self.has_failed else "taken"
        self.seconds += seconds
        self._gate.note_look(seconds, outcome, is_failure=is_failure)
