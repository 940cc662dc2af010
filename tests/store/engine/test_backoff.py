import pytest

from store.engine.backoff import Backoff


def test_pauses_double_up_to_a_limit_and_start_anew_after_a_success() -> None:
    now = 100.0
    backoff = Backoff(0.5, 3.0, lambda: now)
    assert backoff.remaining_seconds() == 0
    pauses = []
    for _ in range(5):
        backoff.begin_pause()
        pauses.append(backoff.remaining_seconds())
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]
    now += 1.0
    assert backoff.remaining_seconds() == 2.0
    now += 5.0
    assert backoff.remaining_seconds() == 0
    backoff.end_pause()
    backoff.begin_pause()
    assert backoff.remaining_seconds() == 0.5


def test_a_clock_that_passes_the_pause_ends_it() -> None:
    clock = [0.0]
    backoff = Backoff(0.1, 2.0, lambda: clock[0])
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0):
        backoff.begin_pause()
        assert backoff.remaining_seconds() == pytest.approx(pause)
        clock[0] += 0.99 * pause
        assert backoff.remaining_seconds() > 0
        clock[0] += 0.02 * pause
        assert backoff.remaining_seconds() == 0
