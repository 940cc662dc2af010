import pytest

from inference.admission.body_memory import BodyMemory
from inference.refusals import OVERLOADED, Refused


def test_bodies_are_bounded_together_and_given_back() -> None:
    memory = BodyMemory(1_000)
    with memory.reserve() as first, memory.reserve() as second:
        first(600)
        second(300)
        second(100)
        with pytest.raises(Refused) as refused:
            first(1)
        assert refused.value.refusal is OVERLOADED
    with memory.reserve() as take:
        take(1_000)


def _send(memory: BodyMemory, sizes: tuple[int, ...]) -> None:
    with memory.reserve() as take:
        for size in sizes:
            take(size)


def test_a_body_that_is_refused_gives_back_what_it_took() -> None:
    memory = BodyMemory(1_000)
    for _ in range(3):
        with pytest.raises(Refused):
            _send(memory, (700, 301))
    _send(memory, (1_000,))
