"""What fails three times is left alone, longer each time that a trial fails."""

from collections.abc import Iterator

import pytest

from inference.upstream.looks.breaker import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Breaker,
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broken(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(3):
        assert breaker.may_try()
        breaker.note_failure()
    return breaker


def _pauses(breaker: Breaker, clock: Clock) -> Iterator[float]:
    """How long each pause lasts, if every trial fails."""
    while True:
        began_at = clock.now
        while not breaker.may_try():
            clock.now += 1
        yield clock.now - began_at
        breaker.note_failure()


def test_failures_that_do_not_follow_one_another_are_no_reason(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(10):
        breaker.note_failure()
        breaker.note_failure()
        breaker.note_success()
    assert breaker.may_try()


def test_after_a_pause_one_may_try(broken: Breaker, clock: Clock) -> None:
    assert not broken.may_try()
    clock.now = FIRST_PAUSE_SECONDS
    assert [broken.may_try() for _ in range(3)] == [True, False, False]
    # Whoever tried may never come back.
    clock.now += FIRST_PAUSE_SECONDS
    assert [broken.may_try() for _ in range(2)] == [True, False]


def test_a_trial_that_succeeds_ends_the_pause(broken: Breaker, clock: Clock) -> None:
    clock.now = FIRST_PAUSE_SECONDS
    assert broken.may_try()
    broken.note_success()
    assert [broken.may_try() for _ in range(3)] == [True] * 3


def test_trials_that_fail_double_the_pause_up_to_a_limit(broken: Breaker, clock: Clock) -> None:
    pauses = _pauses(broken, clock)
    lengths = [next(pauses) for _ in range(8)]
    assert lengths[:3] == [FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS]
    assert lengths[-2:] == [LONGEST_PAUSE_SECONDS] * 2


def test_failures_during_a_pause_make_it_no_longer(broken: Breaker, clock: Clock) -> None:
    clock.now = FIRST_PAUSE_SECONDS - 1
    for _ in range(100):
        broken.note_failure()
    clock.now = FIRST_PAUSE_SECONDS
    assert broken.may_try()
