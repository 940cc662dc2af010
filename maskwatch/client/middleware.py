"""What both kinds of middleware have in common."""

from collections.abc import Callable
from datetime import UTC, datetime
from logging import getLogger
from time import perf_counter

from maskwatch.client.counts import Counts, Fate
from maskwatch.client.exchange import Exchange
from maskwatch.client.options import ClientOptions
from maskwatch.client.screening import Screening
from maskwatch.client.sender import Sender
from maskwatch.client.tap import BodyTap

_log = getLogger(__name__)


class Middleware:
    """An attached application."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._counts = Counts()
        self._sender = Sender(options, self._counts)
        self._screening = Screening(options, self._counts)

    def counts(self) -> dict[str, int]:
        """What became of requests so far, for the application's metrics."""
        return self._counts.read()

    def flush(self, seconds: float) -> bool:
        """Wait for reports that are queued, before an end; whether all were sent or dropped."""
        return self._sender.flush(seconds)

    def _watch(self, content_type: str, sender: str, tap: BodyTap) -> "Watch":
        return Watch(self._sender.submit, self._counts, content_type, sender, tap)


class Watch:
    """Follows one exchange in the mode ``observe`` and reports it once, when it has ended."""

    def __init__(
        self,
        submit: Callable[[Exchange], None],
        counts: Counts,
        content_type: str,
        sender: str,
        tap: BodyTap,
    ) -> None:
        self._submit = submit
        self._counts = counts
        self._content_type = content_type
        self._sender = sender
        self._tap = tap
        self._received_at = datetime.now(UTC)
        self._start = perf_counter()
        self._has_ended = False
        # What servers answer if an application raises, or ends without an answer.
        self.status = 500

    def finish(self) -> None:
        """Report the exchange, if there is something to report; never raises."""
        if self._has_ended:
            return
        self._has_ended = True
        try:
            self._report()
        except Exception:  # noqa: BLE001
            # Open on purpose: the application shall not notice.
            self._counts.add(Fate.FAULT)
            _log.exception("maskwatch: a request was not reported; it is not affected.")

    def _report(self) -> None:
        tap = self._tap
        if tap.is_over:
            self._counts.add(Fate.TOO_LARGE)
        elif not tap.is_whole:
            self._counts.add(Fate.UNREAD)
        elif tap.size:
            latency_ms = (perf_counter() - self._start) * 1000
            self._submit(
                Exchange(
                    self._content_type,
                    tap.chunks,
                    self._sender,
                    self.status,
                    latency_ms,
                    self._received_at,
                )
            )
