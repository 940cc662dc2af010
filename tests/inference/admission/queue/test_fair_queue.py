"""Turns go round by client; nobody holds more than half of them while others wait."""

from collections import Counter
from math import ceil

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from inference.admission.queue.fair_queue import FairQueue


def _queue(turns: int, *joined: str) -> FairQueue[str]:
    """Tickets are named by their client and a number: ``a1``, ``a2``."""
    queue = FairQueue[str](turns)
    for ticket in joined:
        queue.join(ticket[0], ticket)
    return queue


def _calls(queue: FairQueue[str]) -> list[str]:
    calls = iter(queue.call, None)
    return [ticket for ticket in calls if ticket]


def test_one_turn_alternates_between_clients() -> None:
    queue = _queue(1, "a1", "a2", "a3", "b1", "b2")
    order = []
    while called := _calls(queue):
        order += called
        queue.leave(called[0])
    assert order == ["a1", "b1", "a2", "b2", "a3"]


def test_whoever_comes_while_a_client_works_goes_before_its_next_upload() -> None:
    queue = _queue(1, "a1", "a2")
    assert _calls(queue) == ["a1"]
    queue.join("b", "b1")
    queue.leave("a1")
    assert _calls(queue) == ["b1"]


def test_a_client_alone_may_hold_all_turns() -> None:
    assert _calls(_queue(3, "a1", "a2", "a3", "a4")) == ["a1", "a2", "a3"]


def test_a_client_that_holds_half_is_passed_over_while_others_wait() -> None:
    queue = _queue(4, "a1", "a2", "a3", "a4", "b1")
    assert _calls(queue) == ["a1", "b1", "a2", "a3"]
    queue.join("c", "c1")
    queue.leave("b1")
    assert _calls(queue) == ["c1"]


def test_whoever_leaves_the_queue_is_not_called() -> None:
    queue = _queue(1, "a1", "b1", "b2")
    assert _calls(queue) == ["a1"]
    queue.leave("b1")
    queue.leave("a1")
    assert _calls(queue) == ["b2"]


def test_nobody_leaves_twice() -> None:
    queue = _queue(1, "a1")
    queue.leave("a1")
    with pytest.raises(KeyError):
        queue.leave("a1")


class Visits(RuleBasedStateMachine):
    """Clients come, are called, give up and end, in any order; a plain model keeps the books."""

    @initialize(turns=st.integers(1, 5))
    def open(self, turns: int) -> None:
        self.turns = turns
        self.queue = FairQueue[int](turns)
        self.clients: dict[int, str] = {}
        self.waiting: list[int] = []
        self.working: list[int] = []
        # Of each client that waits: who was called since it last stood without a turn.
        self.passed_by: dict[str, Counter[str]] = {}

    @rule(client=st.sampled_from("abcd"))
    def join(self, client: str) -> None:
        ticket = len(self.clients)
        self.clients[ticket] = client
        self._begin(client)
        self.waiting.append(ticket)
        self.queue.join(client, ticket)

    @rule()
    def call(self) -> None:
        called = self.queue.call()
        free = len(self.working) < self.turns
        assert (called is not None) == (bool(self.waiting) and free)
        if called is not None:
            self._check(called)

    @precondition(lambda self: self.waiting or self.working)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting + self.working))
        client = self.clients[ticket]
        self.queue.leave(ticket)
        (self.waiting if ticket in self.waiting else self.working).remove(ticket)
        if client not in self._waiting_clients():
            self.passed_by.pop(client, None)
        elif not self._held(client) and client not in self.passed_by:
            self.passed_by[client] = Counter()

    def _begin(self, client: str) -> None:
        if client not in self._waiting_clients() and not self._held(client):
            self.passed_by[client] = Counter()

    def _check(self, called: int) -> None:
        client = self.clients[called]
        mine = [ticket for ticket in self.waiting if self.clients[ticket] == client]
        assert called == mine[0], "First come, first served within a client."
        self.waiting.remove(called)
        self.working.append(called)
        others = self._waiting_clients() - {client}
        assert not others or self._held(client) <= ceil(self.turns / 2)
        self.passed_by.pop(client, None)
        for passed in self.passed_by.values():
            passed[client] += 1

    def _held(self, client: str) -> int:
        return sum(self.clients[ticket] == client for ticket in self.working)

    def _waiting_clients(self) -> set[str]:
        return {self.clients[ticket] for ticket in self.waiting}

    @invariant()
    def no_turn_is_doubled(self) -> None:
        assert len(self.working) <= self.turns

    @invariant()
    def everybody_is_called_before_another_is_called_twice(self) -> None:
        assert all(count <= 1 for each in self.passed_by.values() for count in each.values())

    def teardown(self) -> None:
        """Nothing is lost: whoever waits is called once turns end, and all turns come back."""
        while self.waiting:
            self.call()
            if self.working:
                self.queue.leave(self.working.pop(0))
        for ticket in self.working:
            self.queue.leave(ticket)
        assert self.queue.call() is None


TestVisits = Visits.TestCase


@pytest.mark.parametrize(
    ("turns", "tickets", "calls", "is_quiet"),
    [
        (2, 0, 0, True),
        (2, 1, 1, True),
        (2, 2, 2, False),
        (2, 1, 0, False),
        (1, 1, 1, True),
        (1, 2, 1, False),
    ],
)
def test_it_is_quiet_while_nobody_would_have_to_wait(
    turns: int, tickets: int, calls: int, is_quiet: bool
) -> None:
    queue: FairQueue[int] = FairQueue(turns)
    for ticket in range(tickets):
        queue.join(str(ticket), ticket)
    for _ in range(calls):
        assert queue.call() is not None
    assert queue.is_quiet() is is_quiet
