"""Results find their calls, whichever is known first."""

import asyncio

from inference.upstream.kept_map import KeepLimits
from inference.upstream.pending_calls import PendingCalls

LIMITS = KeepLimits(max_items=2, max_bytes=10, max_seconds=60)


def test_a_call_is_taken_once() -> None:
    calls: PendingCalls[str] = PendingCalls(LIMITS)
    assert calls.tie("a", "A", 1) == []
    assert asyncio.run(calls.take("a", 30.0)) == "A"
    assert asyncio.run(calls.take("a", 0.0)) is None


def test_a_result_may_come_before_its_call() -> None:
    calls: PendingCalls[str] = PendingCalls(LIMITS)

    async def take() -> str | None:
        taken = asyncio.create_task(calls.take("a", 30.0))
        await asyncio.sleep(0)
        assert calls.tie("a", "A", 1) == []
        return await taken

    assert (asyncio.run(take()), len(calls)) == ("A", 0)


def test_calls_that_are_too_many_are_given_up() -> None:
    calls: PendingCalls[str] = PendingCalls(LIMITS)
    calls.tie("a", "A", 1)
    calls.tie("b", "B", 1)
    assert calls.tie("c", "C", 1) == ["A"]
    assert calls.clear() == ["B", "C"]
