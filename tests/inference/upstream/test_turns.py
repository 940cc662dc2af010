"""Turns go round in the order in which threads asked."""

from threading import Event, Thread

from inference.upstream.turns import Turns
from tests.waiting import wait_for


def test_whoever_waits_gets_the_turn_before_the_one_who_gives_it_back() -> None:
    turns, order = Turns(1), list[str]()
    turns.take()

    def wait() -> None:
        turns.take()
        order.append("other")
        turns.give_back()

    other = Thread(target=wait)
    other.start()
    wait_for(lambda: len(turns._waiting) == 1)
    turns.give_back()
    turns.take()
    order.append("first")
    other.join()
    assert order == ["other", "first"]


def test_as_many_work_together_as_there_are_turns() -> None:
    turns, has_third = Turns(2), Event()
    turns.take()
    turns.take()

    def wait() -> None:
        turns.take()
        has_third.set()

    third = Thread(target=wait)
    third.start()
    wait_for(lambda: len(turns._waiting) == 1)
    assert not has_third.is_set()
    turns.give_back()
    third.join()
    assert has_third.is_set()
