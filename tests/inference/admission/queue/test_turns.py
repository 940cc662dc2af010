"""Turns that tasks wait for: none is lost, whoever gives up and whenever."""

from asyncio import CancelledError, create_task, gather, run, sleep, timeout
from collections.abc import Callable

import pytest

from inference.admission.queue.turns import Turns

LONG = 60.0


def test_a_free_turn_needs_no_patience() -> None:
    async def wait() -> None:
        turns = Turns(1)
        turns.end(await turns.wait("a", 0))
        turn = await turns.wait("a", 0)
        with pytest.raises(TimeoutError):
            await turns.wait("b", 0)
        turns.end(turn)
        await turns.wait("b", 0)

    run(wait())


@pytest.mark.parametrize("called_first", [True, False])
def test_a_turn_that_comes_as_its_task_is_cancelled_goes_to_the_next(called_first: bool) -> None:
    async def cross() -> None:
        turns = Turns(1)
        turn = await turns.wait("a", LONG)
        leaving, staying = (create_task(turns.wait(client, LONG)) for client in "bc")
        await sleep(0)
        steps: list[Callable[[], object]] = [lambda: turns.end(turn), leaving.cancel]
        for step in steps if called_first else reversed(steps):
            step()
        async with timeout(LONG):
            turns.end(await staying)
        with pytest.raises(CancelledError):
            await leaving
        await turns.wait("d", 0)

    run(cross())


def test_whoever_gave_up_is_not_called() -> None:
    async def give_up() -> None:
        turns = Turns(1)
        turn = await turns.wait("a", LONG)
        tasks = [create_task(turns.wait(client, LONG)) for client in "bcd" * 5]
        await sleep(0)
        for task in tasks:
            task.cancel()
        await gather(*tasks, return_exceptions=True)
        turns.end(turn)
        await turns.wait("e", 0)

    run(give_up())
