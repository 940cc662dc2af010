"""Answers that are held back, and how many."""

from asyncio import create_task, gather, run, sleep
from random import SystemRandom

from inference.admission.tarpit import Tarpit


def test_at_most_so_many_answers_are_held() -> None:
    pause = Tarpit(3600, 3, SystemRandom())

    async def everybody() -> list[bool]:
        held = [create_task(pause.hold()) for _ in range(10)]
        await sleep(0)
        await sleep(0)
        done = [task.done() for task in held]
        for task in held:
            task.cancel()
        await gather(*held, return_exceptions=True)
        again = create_task(pause.hold())
        await sleep(0)
        done.append(again.done())
        again.cancel()
        return done

    assert run(everybody()) == [False] * 3 + [True] * 7 + [False]


def test_a_pause_ends() -> None:
    run(Tarpit(0.001, 1, SystemRandom()).hold())
