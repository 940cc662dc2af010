"""Calls whose results come later, by the ids of their events."""

from asyncio import Future, get_running_loop, wait_for
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from inference.upstream.kept_map import KeepLimits, KeptMap

Call = TypeVar("Call")


class PendingCalls(Generic[Call]):
    """Ties results to calls, whichever of the two is known first.

    A stream that is open already may bring the result of a call before its own answer is here.
    """

    def __init__(self, limits: KeepLimits, clock: Callable[[], float] = monotonic) -> None:
        self._calls: KeptMap[Call] = KeptMap(limits, clock)
        self._expected: dict[str, Future[Call]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def tie(self, event_id: str, call: Call, size_bytes: int) -> list[Call]:
        """Remember a call; those that are given up for it."""
        expected = self._expected.pop(event_id, None)
        if expected is None or expected.done():
            return self._calls.add(event_id, call, size_bytes)
        expected.set_result(call)
        return []

    def find(self, event_id: str) -> Call | None:
        """The call of an event, which goes on."""
        return self._calls.find(event_id)

    async def take(self, event_id: str, seconds: float) -> Call | None:
        """The call of an event, once; ``None`` if none is known within some time."""
        if (call := self._calls.take(event_id)) is not None:
            return call
        expected = self._expected.setdefault(event_id, get_running_loop().create_future())
        try:
            return await wait_for(expected, seconds)
        except TimeoutError:
            return None
        finally:
            self._expected.pop(event_id, None)

    def expire(self) -> list[Call]:
        """Give up what is too old."""
        return self._calls.expire()

    def clear(self) -> list[Call]:
        """Give up everything."""
        return self._calls.clear()
