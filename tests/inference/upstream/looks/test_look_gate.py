"""Few exchanges are looked at, and none while that could hurt the upstream."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.metrics import Metrics
from inference.upstream.looks.breaker import FIRST_PAUSE_SECONDS, Breaker
from inference.upstream.looks.look_gate import LookGate, LookLimits, Skip
from inference.upstream.looks.pace import Pace

LIMITS = LookLimits(max_exchanges=1, odd_share=0.1, time_share=0.2)
SAMPLED, ODD = (True, False), (False, True)


def _build(limits: LookLimits = LIMITS, now: Callable[[], float] = lambda: 0.0) -> LookGate:
    return LookGate(limits, Metrics(), lambda: True, lambda: Breaker(now))


def _look(gate: LookGate, choice: tuple[bool, bool] = SAMPLED, seconds: float = 0.0) -> str:
    """What becomes of an exchange that one look is taken at."""
    with gate.visit() as visit:
        if visit.enter(lambda: choice):
            visit.note(seconds, "answered", is_failure=False)
        return visit.outcome


def _fail_look(gate: LookGate) -> None:
    with gate.visit() as visit:
        if visit.enter(lambda: SAMPLED):
            visit.note(0.0, "denied", is_failure=True)


@pytest.fixture
def gate() -> LookGate:
    built = _build()
    built.note_answer(1.0)
    return built


def test_what_is_neither_odd_nor_in_the_sample_is_not_looked_at(gate: LookGate) -> None:
    assert _look(gate, (False, False)) == Skip.NOT_CHOSEN
    assert _look(gate) == _look(gate, ODD) == "taken"


def test_an_exchange_is_chosen_once(gate: LookGate) -> None:
    with gate.visit() as visit:
        assert visit.enter(lambda: SAMPLED)
        assert visit.enter(lambda: (False, False))
        assert visit.outcome == "not_needed"


def test_only_so_many_are_looked_at_together() -> None:
    gate = _build(replace(LIMITS, max_exchanges=2))
    gate.note_answer(1.0)
    with ExitStack() as stack:
        for _ in range(2):
            assert stack.enter_context(gate.visit()).enter(lambda: SAMPLED)
        assert _look(gate) == Skip.BUSY
    assert _look(gate) == "taken"


def test_no_look_follows_one_that_failed(gate: LookGate) -> None:
    with gate.visit() as visit:
        assert visit.enter(lambda: SAMPLED)
        visit.note(0.1, "timeout", is_failure=True)
        assert not visit.enter(lambda: SAMPLED)
        assert visit.outcome == "failed"
    assert _look(gate) == "taken"


def test_an_upstream_that_is_slower_than_usual_is_left_alone_until_it_is_not(
    gate: LookGate,
) -> None:
    for _ in range(10):
        gate.note_answer(1.0)
    for _ in range(5):
        gate.note_answer(20.0)
    assert _look(gate) == Skip.SLOW
    for _ in range(10):
        gate.note_answer(1.0)
    assert _look(gate) == "taken"


def test_an_upstream_that_is_slower_for_good_is_not_slow_for_ever() -> None:
    pace = Pace()
    for _ in range(100):
        pace.note(1.0)
    for _ in range(5):
        pace.note(10.0)
    assert pace.is_slow
    for _ in range(100):
        pace.note(10.0)
    assert not pace.is_slow


def test_an_upstream_that_fails_its_clients_is_left_alone_until_it_answers(gate: LookGate) -> None:
    for _ in range(3):
        gate.note_failure()
    assert _look(gate) == Skip.FAILING
    gate.note_answer(1.0)
    assert _look(gate) == "taken"


def test_one_that_fails_looks_alone_is_tried_again_after_a_pause() -> None:
    now = [0.0]
    gate = _build(now=lambda: now[0])
    for _ in range(3):
        gate.note_answer(1.0)
        _fail_look(gate)
    gate.note_answer(1.0)
    assert _look(gate) == Skip.FAILING
    now[0] = FIRST_PAUSE_SECONDS
    assert _look(gate) == _look(gate) == "taken"


def test_nothing_is_looked_at_in_a_full_queue_or_at_the_end(gate: LookGate) -> None:
    crowded = LookGate(LIMITS, Metrics(), lambda: False)
    crowded.note_answer(1.0)
    assert _look(crowded) == Skip.QUEUE
    gate.close()
    assert _look(gate) == Skip.CLOSING


def test_looks_wait_until_as_many_seconds_are_saved_as_the_last_ones_took(gate: LookGate) -> None:
    """A quarter of the clients' seconds is saved; the first looks run up a debt."""
    assert _look(gate, seconds=1.0) == "taken"
    for _ in range(6):
        gate.note_answer(1.0)
        assert _look(gate, seconds=1.0) == Skip.OVER_BUDGET
    gate.note_answer(1.0)
    assert _look(gate, seconds=1.0) == "taken"


@given(
    odd_share=st.floats(0, 0.5),
    time_share=st.floats(0, 0.5),
    seconds=st.lists(st.tuples(st.floats(0.5, 1), st.floats(0, 5)), min_size=1, max_size=200),
)
def test_looks_keep_to_their_shares_of_time_and_of_exchanges(
    odd_share: float, time_share: float, seconds: list[tuple[float, float]]
) -> None:
    """Whatever clients and looks take: one look beyond what was earned at most."""
    gate = _build(LookLimits(1, odd_share, time_share))
    spent, looked, most = 0.0, 0, max(each for _, each in seconds)
    for client_seconds, look_seconds in seconds:
        gate.note_answer(client_seconds)
        if _look(gate, ODD, look_seconds) == "taken":
            spent, looked = spent + look_seconds, looked + 1
    clients = sum(each for each, _ in seconds)
    assert spent <= clients * time_share / (1 - time_share) + most + 1e-6
    assert looked <= len(seconds) * odd_share + 1 + 1e-6
