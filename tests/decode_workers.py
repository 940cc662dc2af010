"""Decode workers that outlive the service which started them, for the next one with equal limits.

They are real ones. A service starts four, each of which takes a third of a second of a core to
start; most tests send one picture or none.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from detectors.parsing import Image
from inference.gate.sandbox import seat
from inference.gate.sandbox.process import WorkerGone, WorkerLimits, WorkerProcess
from inference.gate.sandbox.wire import Order, Reply

_MAX_KEPT = 8
# Far from those after which a worker asks to be replaced: no test shall see that of another one.
_MAX_ORDERS = 100
_kept: list["KeptWorker"] = []


class KeptWorker(WorkerProcess):
    """Waits for another service once it is ended, unless anything about it is unusual."""

    def __init__(self, limits: WorkerLimits) -> None:
        super().__init__(limits)
        self.limits = limits
        self._is_idle, self._orders = True, 0

    def give(self, data: bytes, order: Order) -> None:
        self._is_idle = False
        self._orders += 1
        super().give(data, order)

    def collect(self, order: Order) -> tuple[Reply, Image | None]:
        reply, image = super().collect(order)
        self._is_idle = not reply.tired
        return reply, image

    def end(self) -> None:
        if self._is_idle and self._orders < _MAX_ORDERS and self.is_well():
            _kept.append(self)
            _end_all_but(_MAX_KEPT)
        else:
            super().end()

    def end_for_good(self) -> None:
        """Kill it, as pools do outside tests."""
        super().end()

    def is_well(self) -> bool:
        """Whether it started, lives and says nothing unasked."""
        try:
            self.ready()
            self._expect_silence()
        except WorkerGone:
            return False
        return True


def _take(limits: WorkerLimits) -> KeptWorker:
    """One that waits, or a new one."""
    for fitting in [each for each in _kept if each.limits == limits]:
        _kept.remove(fitting)
        if fitting.is_well():
            return fitting
        fitting.end_for_good()
    return KeptWorker(limits)


def _end_all_but(count: int) -> None:
    while len(_kept) > count:
        _kept.pop(0).end_for_good()


@contextmanager
def keep_workers() -> Iterator[None]:
    """Pools take workers that others gave back, as long as this lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seat, "WorkerProcess", _take)
        yield
    _end_all_but(0)
