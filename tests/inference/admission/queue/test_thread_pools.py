"""Threads by purpose: a lane that is full holds up nobody else."""

from asyncio import create_task, gather, run
from threading import Event

from inference.admission.queue.thread_pools import ThreadPool


def test_a_lane_that_is_full_does_not_hold_up_another() -> None:
    busy, free = ThreadPool("busy", 1), ThreadPool("free", 1)

    async def everybody() -> list[int]:
        gate = Event()
        waiting = [create_task(busy.run(gate.wait)) for _ in range(50)]
        answers = [await free.run(int, text) for text in ("1", "2")]
        gate.set()
        assert all(await gather(*waiting))
        return answers

    assert run(everybody()) == [1, 2]
