"""A seat in the pool: always one worker, a new one as soon as the last is gone."""

from collections.abc import Callable
from dataclasses import replace
from secrets import randbits

import structlog

from detectors.parsing import Image
from inference.gate.decoder.suspicions import marks_in
from inference.gate.media import MediaType
from inference.gate.sandbox.lockdown import Sandbox
from inference.gate.sandbox.process import End, WorkerGone, WorkerLimits, WorkerProcess
from inference.gate.sandbox.wire import Order, Reply

_log = structlog.get_logger(__name__)
# A worker that keeps dying before it has anything to do is not the upload's fault.
_ATTEMPTS = 10
_NUMBER_BITS = 52
_CRASH = "decoder_crashed"
_UNAVAILABLE = "decoder_unavailable"
_REFUSALS = {End.TIME: "takes_too_long", End.CPU: "takes_too_long"}
# Ends that are in order, or that the system's own limits bring about.
_EXPECTED = {End.RECYCLED, End.TIME, End.CPU}

CountEnd = Callable[[str], None]


class Seat:
    """Keeps a worker alive. Used by one thread at a time."""

    def __init__(self, limits: WorkerLimits, count_end: CountEnd) -> None:
        self._limits = limits
        self._count_end = count_end
        self._worker: WorkerProcess | None = None
        self._start()

    @property
    def pid(self) -> int | None:
        """The process id of the worker, if there is one."""
        return self._worker.pid if self._worker else None

    @property
    def is_fresh(self) -> bool:
        """Whether the worker is still to be waited for."""
        return self._worker is None or not self._worker.is_ready

    def sandbox(self) -> Sandbox:
        """What holds the worker.

        Raises:
            WorkerGone: it cannot be started.
        """
        return self._living().ready()

    def decode(self, data: bytes, media_type: MediaType) -> tuple[Reply, Image | None]:
        """Decode an upload; whatever happens to the worker becomes a refusal of this upload."""
        # Nobody can answer an order in advance whose number nobody knows.
        order = Order(randbits(_NUMBER_BITS), len(data), media_type)
        worker = self._give_order(data, order)
        if worker is None:
            return Reply(refusal=_UNAVAILABLE), None
        marks = marks_in(data)  # while the worker works; searching bytes is safe anywhere
        try:
            reply, image = worker.collect(order)
        except WorkerGone as gone:
            self._replace(gone.end)
            return Reply(refusal=_REFUSALS.get(gone.end, _CRASH)), None
        if reply.tired:
            self._replace(End.RECYCLED)
        return replace(reply, signs={**marks, **reply.signs}), image

    def close(self) -> None:
        """End the worker for good."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _give_order(self, data: bytes, order: Order) -> WorkerProcess | None:
        """A worker that has the order; one that dies before that costs nobody anything."""
        for _ in range(_ATTEMPTS):
            try:
                worker = self._living()
                worker.ready()
                worker.give(data, order)
            except WorkerGone as gone:
                self._replace(gone.end)
            else:
                return worker
        return None

    def _living(self) -> WorkerProcess:
        if self._worker is None:
            self._start()
        if self._worker is None:
            raise WorkerGone(End.NOT_STARTED)
        return self._worker

    def _replace(self, end: End) -> None:
        self._count_end(end.value)
        if end not in _EXPECTED:
            words = self._worker.last_words() if self._worker else ""
            _log.warning("decode worker ended", why=end.value, pid=self.pid, words=words)
        self.close()
        self._start()

    def _start(self) -> None:
        try:
            self._worker = WorkerProcess(self._limits)
        except OSError as error:
            _log.error("decode worker cannot be started", why=str(error))
