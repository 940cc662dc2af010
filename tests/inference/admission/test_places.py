"""Who may send a picture now: places and turns, and what is said to whom is turned away."""

from asyncio import create_task, gather, run, sleep, timeout
from collections.abc import Callable
from contextlib import AsyncExitStack
from threading import Event, Lock
from time import sleep as spin

import pytest

from inference.admission.places import SlotLimits, Slots
from inference.metrics import Metrics
from inference.refusals import OVERLOADED, REFUSALS, TOO_MANY_UPLOADS, Refused
from tests.waiting import PATIENCE_SECONDS

CLIENT, OTHER = "ip:192.0.2.1", "ip:192.0.2.2"


async def _until(holds: Callable[[], bool]) -> None:
    """Let other tasks go on until something holds, or fail."""
    async with timeout(PATIENCE_SECONDS):
        while not holds():
            await sleep(0.001)


async def _is_refused(slots: Slots) -> bool:
    try:
        await slots.work(OTHER, int)
    except Refused:
        return True
    return False


def _in_flight(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("maskwatch_in_flight")


def _slots(metrics: Metrics | None = None, **limits: float) -> Slots:
    given = {
        "working": 1,
        "queue": 100,
        "min_wait_seconds": 60,
        "max_wait_seconds": 60,
        "per_client": 100,
    } | limits
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
        await gather(*(slots.work(CLIENT, work) for _ in range(16)))

    run(everybody())
    assert (present, most) == (0, 2)


def test_turns_go_first_come_first_served() -> None:
    slots, served = _slots(), list[int]()

    async def everybody() -> None:
        gate = Event()
        first = create_task(slots.work(CLIENT, gate.wait))
        others = [create_task(slots.work(CLIENT, served.append, number)) for number in range(20)]
        await sleep(0)
        gate.set()
        await gather(first, *others)

    run(everybody())
    assert served == list(range(20))


def test_turns_go_round_by_client() -> None:
    slots, served = _slots(), list[str]()

    async def everybody() -> None:
        gate = Event()
        first = create_task(slots.work(CLIENT, gate.wait))
        await sleep(0)
        many = [create_task(slots.work(CLIENT, served.append, "many")) for _ in range(3)]
        await sleep(0)
        few = create_task(slots.work(OTHER, served.append, "few"))
        await sleep(0)
        gate.set()
        await gather(first, *many, few)

    run(everybody())
    assert served == ["few", "many", "many", "many"]


def test_addresses_of_one_ipv6_network_take_turns_as_one_client() -> None:
    slots, served = _slots(), list[str]()

    async def everybody() -> None:
        gate = Event()
        first = create_task(slots.work("ip:2001:db8::1", gate.wait))
        names = ("ip:2001:db8::2", "ip:2001:db8::3", "ip:2001:db8:0:1::1")
        others = [create_task(slots.work(name, served.append, name)) for name in names]
        await sleep(0)
        gate.set()
        await gather(first, *others)

    run(everybody())
    assert served == ["ip:2001:db8:0:1::1", "ip:2001:db8::2", "ip:2001:db8::3"]


def test_a_turn_lasts_until_the_thread_ends_although_the_caller_is_gone() -> None:
    slots = _slots(max_wait_seconds=0)

    async def give_up() -> None:
        begun, gate = Event(), Event()

        def work() -> None:
            begun.set()
            gate.wait()

        gone = create_task(slots.work(CLIENT, work))
        await _until(begun.is_set)
        gone.cancel()
        await gather(gone, return_exceptions=True)
        assert gone.cancelled()
        with pytest.raises(Refused) as caught:
            async with timeout(PATIENCE_SECONDS):
                await slots.work(OTHER, int)
        assert caught.value.refusal is OVERLOADED
        gate.set()
        async with timeout(PATIENCE_SECONDS):
            while await _is_refused(slots):
                await sleep(0.001)

    run(give_up())


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


def test_whoever_has_most_places_leaves_as_many_to_others() -> None:
    slots = _slots(working=1, queue=9)

    async def enter_all(stack: AsyncExitStack, client: str) -> int:
        for number in range(100):
            try:
                await stack.enter_async_context(slots.enter(client))
            except Refused:
                return number
        raise AssertionError("Nothing was left to others.")

    async def knock() -> None:
        async with AsyncExitStack() as stack:
            taken = [await enter_all(stack, f"ip:192.0.2.{number}") for number in range(3)]
            assert taken == [5, 3, 1]
            await stack.enter_async_context(slots.enter("ip:192.0.2.9"))
            with pytest.raises(Refused) as caught:
                await slots.enter("ip:192.0.2.10").__aenter__()
            assert caught.value.refusal is OVERLOADED

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
    slots = _slots(max_wait_seconds=0)

    async def wait() -> None:
        gate = Event()
        working = create_task(slots.work(CLIENT, gate.wait))
        await sleep(0)
        with pytest.raises(Refused) as caught:
            await slots.work(CLIENT, int)
        assert caught.value.refusal is OVERLOADED
        gate.set()
        await working
        assert await slots.work(CLIENT, int) == 0

    run(wait())


def test_whoever_gives_up_waiting_leaves_the_queue() -> None:
    metrics = Metrics()
    slots = _slots(metrics)

    async def visit(function: Callable[[], object]) -> None:
        async with slots.enter("ip:192.0.2.1"):
            await slots.work(CLIENT, function)

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
        assert await slots.work(CLIENT, int) == 0

    run(give_up())
    assert _in_flight(metrics) == 0


def test_a_fault_at_work_gives_its_place_back() -> None:
    metrics = Metrics()
    slots = _slots(metrics, queue=0, max_wait_seconds=0)

    def fail() -> None:
        raise LookupError

    async def three_times() -> None:
        for _ in range(3):
            with pytest.raises(LookupError):
                async with slots.enter("ip:192.0.2.1"):
                    await slots.work(CLIENT, fail)

    run(three_times())
    assert _in_flight(metrics) == 0


def test_every_refusal_has_its_own_code_and_a_sentence_without_internals() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)
    for refusal in REFUSALS:
        assert refusal.status >= 400
        assert refusal.sentence.endswith("."), refusal.code
        assert not any(character.isdigit() for character in refusal.sentence), refusal.code
