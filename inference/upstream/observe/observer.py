"""Takes observations in at once, and has them measured later, within bounds."""

from collections.abc import Callable, Iterable
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic

import structlog

from inference.metrics import Metrics
from inference.upstream.observe.observe_settings import ObserveGroup
from inference.upstream.observe.pair_joiner import Exchange, Fate, Half, PairJoiner, Side
from inference.upstream.work_queue import Work, WorkQueue
from store.spool.spool import NotRecorded

_log = structlog.get_logger(__name__)
_TICK_SECONDS = 1.0
_CLOSE_SECONDS = 10.0


class Observer:
    """The queue of observations, and the halves of exchanges that wait for each other.

    Attributes:
        measure_exchange: measures and records what an exchange holds, in a thread.
    """

    def __init__(
        self,
        settings: ObserveGroup,
        measure_exchange: Callable[[Exchange], None],
        metrics: Metrics,
    ) -> None:
        third = settings.observe_memory_bytes // 3
        self._metrics = metrics
        self._measure_exchange = measure_exchange
        self._joiner = PairJoiner(settings.observe_join_seconds, third, self._count_half)
        self._lock = Lock()
        self._queue = WorkQueue("observe", settings.observe_queue, third, settings.observe_workers)
        metrics.watch_observations(
            lambda: len(self._queue), lambda: self._queue.size_bytes, lambda: len(self._joiner)
        )
        self._end = Event()
        self._ticker = Thread(target=self._tick, name="maskwatch-observe-halves", daemon=True)
        self._ticker.start()

    def has_room(self, size_bytes: int = 0) -> bool:
        """Whether an observation of this size can be taken in now."""
        return self._queue.has_room(size_bytes)

    def accept(self, size_bytes: int, measure: Callable[[], None]) -> bool:
        """Have an observation measured; ``False`` if there is no room for it."""
        return self._queue.put(Work(size_bytes, partial(self._run, measure)))

    def accept_half(self, half: Half) -> None:
        """Keep half of an exchange; what is complete by it is measured."""
        with self._lock:
            over = self._joiner.add(half, monotonic())
        self._accept_exchanges(over)

    def close(self) -> None:
        """Give up what waits for its other half, measure for some seconds, and end the threads."""
        self._end.set()
        self._ticker.join()
        with self._lock:
            over = self._joiner.end_all(monotonic())
        self._accept_exchanges(over)
        left = self._queue.close(_CLOSE_SECONDS)
        self._metrics.observations.labels("dropped").inc(left)
        if left:
            _log.error("observations left behind", observations=left)

    def _accept_exchanges(self, exchanges: Iterable[Exchange]) -> None:
        for exchange in exchanges:
            if not self.accept(exchange.size_bytes, partial(self._measure_exchange, exchange)):
                self._metrics.observations.labels("dropped").inc()

    def _tick(self) -> None:
        while not self._end.wait(_TICK_SECONDS):
            with self._lock:
                over = self._joiner.end_old(monotonic())
            self._accept_exchanges(over)

    def _run(self, measure: Callable[[], None]) -> None:
        try:
            measure()
        except NotRecorded as error:
            self._metrics.observations.labels("not_recorded").inc()
            _log.error("observation not recorded", why=str(error))
        except Exception:  # noqa: BLE001
            # One that fails must not end the thread that measures the others.
            self._metrics.observations.labels("fault").inc()
            self._metrics.faults.labels("observe").inc()
            _log.exception("observation failed")
        else:
            self._metrics.observations.labels("recorded").inc()

    def _count_half(self, side: Side, fate: Fate) -> None:
        self._metrics.event_halves.labels(side.value, fate.value).inc()
