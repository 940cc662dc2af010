"""Reports to the sidecar from a thread of its own, so that the application never waits."""

import os
from collections import deque
from logging import getLogger
from threading import Condition, Thread
from time import monotonic
from weakref import WeakMethod

from maskwatch.client.counts import Counts, Fate
from maskwatch.client.exchange import Exchange
from maskwatch.client.options import ClientOptions
from maskwatch.client.sidecar import Sidecar, SidecarFault

_log = getLogger(__name__)
_LOG_PAUSE_SECONDS = 60.0


class Sender:
    """A bounded queue, and the thread that empties it; both begin with the first report."""

    def __init__(self, options: ClientOptions, counts: Counts) -> None:
        self._options = options
        self._counts = counts
        self._sidecar = Sidecar(options)
        self._log_at = float("-inf")
        self._changed = Condition()
        self._queue: deque[Exchange] = deque()
        self._bytes = 0
        self._thread: Thread | None = None
        # Servers fork after they have loaded the application: the thread stays behind, and so may
        # somebody who holds the lock.
        if hasattr(os, "register_at_fork"):
            restart = WeakMethod(self._start_anew)
            os.register_at_fork(after_in_child=lambda: (method := restart()) and method())

    def submit(self, exchange: Exchange) -> None:
        """Queue a report, or drop it; never waits for the sidecar."""
        with self._changed:
            is_full = len(self._queue) >= self._options.max_queue
            if is_full or self._bytes + exchange.size > self._options.max_queue_bytes:
                self._counts.add(Fate.DROPPED)
                return
            self._queue.append(exchange)
            self._bytes += exchange.size
            if self._thread is None:
                self._thread = Thread(target=self._run, name="maskwatch-client", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until everything was sent or dropped; whether that happened in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, seconds)

    def _start_anew(self) -> None:
        self._changed = Condition()
        self._queue.clear()
        self._bytes = 0
        self._thread = None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                exchange = self._queue[0]
            try:
                self._report(exchange)
            except Exception:  # noqa: BLE001
                # One report that cannot be written shall not end those that follow.
                self._counts.add(Fate.FAULT)
                self._warn("A report failed.")
            # Only now: what is being sent takes memory as well.
            with self._changed:
                self._queue.popleft()
                self._bytes -= exchange.size
                self._changed.notify_all()

    def _report(self, exchange: Exchange) -> None:
        has_picture = False
        for form, content_type in exchange.write_forms(self._options.picture_fields):
            has_picture = True
            try:
                self._sidecar.observe(form, content_type)
            except SidecarFault as fault:
                self._counts.add(Fate.NOT_TAKEN)
                self._warn(str(fault))
            else:
                self._counts.add(Fate.REPORTED)
        if not has_picture:
            self._counts.add(Fate.NO_PICTURE)

    def _warn(self, sentence: str) -> None:
        """Once a minute: a sidecar that is away would fill the application's log."""
        if monotonic() - self._log_at >= _LOG_PAUSE_SECONDS:
            self._log_at = monotonic()
            _log.warning("maskwatch: %s Requests are not affected.", sentence)
