"""Who may send a picture now: the queue, and what is said to whom is turned away."""

from asyncio import create_task, gather, run, sleep

import pytest

from inference.admission import Slots
from inference.metrics import Metrics
from inference.refusals import OVERLOADED, REFUSALS, Refused


def _in_flight(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("maskwatch_in_flight")


def test_no_more_work_at_once_than_allowed() -> None:
    slots = Slots(2, 30, Metrics())
    present, most = 0, 0

    async def work() -> None:
        nonlocal present, most
        async with slots.take():
            present += 1
            most = max(most, present)
            await sleep(0)
            present -= 1

    async def everybody() -> None:
        await gather(*(work() for _ in range(16)))

    run(everybody())
    assert (present, most) == (0, 2)


def test_whoever_finds_the_queue_full_is_refused_at_once_and_the_place_comes_back() -> None:
    metrics = Metrics()
    slots = Slots(1, 0, metrics)

    async def knock_while_taken() -> None:
        async with slots.take():
            with pytest.raises(Refused) as caught:
                await slots.take().__aenter__()
            assert caught.value.refusal is OVERLOADED
            assert _in_flight(metrics) == 1
        async with slots.take():
            assert _in_flight(metrics) == 1

    run(knock_while_taken())
    assert _in_flight(metrics) == 0


def test_whoever_gives_up_waiting_leaves_the_queue() -> None:
    metrics = Metrics()
    slots = Slots(1, 1, metrics)

    async def wait() -> None:
        async with slots.take():
            raise AssertionError("There was no place to work.")

    async def give_up() -> None:
        async with slots.take():
            waiting = create_task(wait())
            await sleep(0)
            assert _in_flight(metrics) == 2
            waiting.cancel()
            await gather(waiting, return_exceptions=True)
            assert waiting.cancelled()
            assert _in_flight(metrics) == 1

    run(give_up())
    assert _in_flight(metrics) == 0


def test_a_fault_at_work_gives_its_place_back() -> None:
    metrics = Metrics()
    slots = Slots(1, 0, metrics)

    async def fail() -> None:
        async with slots.take():
            raise LookupError

    async def three_times() -> None:
        for _ in range(3):
            with pytest.raises(LookupError):
                await fail()

    run(three_times())
    assert _in_flight(metrics) == 0


def test_every_refusal_has_its_own_code_and_a_sentence_without_internals() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)
    for refusal in REFUSALS:
        assert refusal.status >= 400
        assert refusal.sentence.endswith("."), refusal.code
        assert not any(character.isdigit() for character in refusal.sentence), refusal.code
