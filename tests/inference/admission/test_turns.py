"""Who may send a picture now: places and turns, and what is said to whom is turned away."""

from asyncio import create_task, gather, run, sleep, timeout
from collections.abc import Callable
from threading import Event, Lock
from time import sleep as spin

import pytest

from inference.admission.turns import SlotLimits, Slots
from inference.metrics import Metrics
from inference.refusals import OVERLOADED, REFUSALS, TOO_MANY_UPLOADS, Refused


async def _until(holds: Callable[[], bool]) -> None:
    """Let other tasks go on until something holds, or fail."""
    async with timeout(10):
        while not holds():
            await sleep(0.001)


def _in_flight(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("maskwatch_in_flight")


def _slots(metrics: Metrics | None = None, **limits: float) -> Slots:
    given = {"working": 1, "queue": 100, "wait_seconds": 60, "per_client": 100} | limits
    return Slots(SlotLimits(**given), metrics or Metrics())  # type: ignore[arg-type]


def test_no_more_work_at_once_than_allowed() -> None:
    slots, lock = _slots(working=2), Lock()
    present, most = 0, 0

    def work() -> None:
        nonlocal present, most
        with lock:
            present += 1
            most = max(most, present)
        spin(0.002)  # the thread is left here, so that others could come in
        with lock:
            present -= 1

    async def everybody() -> None:
        await gather(*(slots.work(work) for _ in range(16)))

    run(everybody())
    assert (present, most) == (0, 2)


def test_turns_go_first_come_first_served() -> None:
    slots, served = _slots(), list[int]()

    async def everybody() -> None:
        gate = Event()
        first = create_task(slots.work(gate.wait))
        others = [create_task(slots.work(served.append, number)) for number in range(20)]
        await sleep(0)
        gate.set()
        await gather(first, *others)

    run(everybody())
    assert served == list(range(20))


def test_whoever_finds_the_house_full_is_refused_at_once_and_the_place_comes_back() -> None:
    metrics = Metrics()
    slots = _slots(metrics, queue=1)

    async def knock_while_taken() -> None:
        async with slots.enter("ip:192.0.2.1"), slots.enter("ip:192.0.2.2"):
            with pytest.raises(Refused) as caught:
                await slots.enter("ip:192.0.2.3").__aenter__()
            assert caught.value.refusal is OVERLOADED
            assert _in_flight(metrics) == 2
        async with slots.enter("ip:192.0.2.3"):
            assert _in_flight(metrics) == 1

    run(knock_while_taken())
    assert _in_flight(metrics) == 0


def test_one_client_cannot_take_all_places() -> None:
    slots = _slots(per_client=2)

    async def knock() -> None:
        async with slots.enter("ip:192.0.2.1"):
            async with slots.enter("ip:192.0.2.1"):
                with pytest.raises(Refused) as caught:
                    await slots.enter("ip:192.0.2.1").__aenter__()
                assert caught.value.refusal is TOO_MANY_UPLOADS
                async with slots.enter("ip:192.0.2.2"):
                    pass
            async with slots.enter("ip:192.0.2.1"):
                pass

    run(knock())


def test_addresses_of_one_ipv6_network_share_their_places() -> None:
    slots = _slots(per_client=1)

    async def knock() -> None:
        async with slots.enter("ip:2001:db8::1"):
            with pytest.raises(Refused):
                await slots.enter("ip:2001:db8::ffff:2").__aenter__()
            async with slots.enter("ip:2001:db8:0:1::1"):
                pass

    run(knock())


def test_whoever_waits_too_long_for_a_turn_is_refused_and_the_turn_is_not_lost() -> None:
    slots = _slots(wait_seconds=0)

    async def wait() -> None:
        gate = Event()
        working = create_task(slots.work(gate.wait))
        await sleep(0)
        with pytest.raises(Refused) as caught:
            await slots.work(int)
        assert caught.value.refusal is OVERLOADED
        gate.set()
        await working
        assert await slots.work(int) == 0

    run(wait())


def test_whoever_gives_up_waiting_leaves_the_queue() -> None:
    metrics = Metrics()
    slots = _slots(metrics)

    async def visit(function: Callable[[], object]) -> None:
        async with slots.enter("ip:192.0.2.1"):
            await slots.work(function)

    def never() -> None:
        raise AssertionError("There was no turn.")

    async def give_up() -> None:
        gate = Event()
        working = create_task(visit(gate.wait))
        waiting = create_task(visit(never))
        await _until(lambda: _in_flight(metrics) == 2)
        waiting.cancel()
        await gather(waiting, return_exceptions=True)
        assert waiting.cancelled()
        assert _in_flight(metrics) == 1
        gate.set()
        await working
        assert await slots.work(int) == 0

    run(give_up())
    assert _in_flight(metrics) == 0


def test_a_fault_at_work_gives_its_place_back() -> None:
    metrics = Metrics()
    slots = _slots(metrics, queue=0, wait_seconds=0)

    def fail() -> None:
        raise LookupError

    async def three_times() -> None:
        for _ in range(3):
            with pytest.raises(LookupError):
                async with slots.enter("ip:192.0.2.1"):
                    await slots.work(fail)

    run(three_times())
    assert _in_flight(metrics) == 0


def test_every_refusal_has_its_own_code_and_a_sentence_without_internals() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)
    for refusal in REFUSALS:
        assert refusal.status >= 400
        assert refusal.sentence.endswith("."), refusal.code
        assert not any(character.isdigit() for character in refusal.sentence), refusal.code
