"""Long waits in a burst, short ones in a flood."""

import pytest

from inference.admission.queue_patience import WaitingTime


def test_a_burst_may_wait() -> None:
    assert WaitingTime(5).seconds(0) == 5


def test_while_somebody_is_refused_waits_are_short_and_a_second_later_long_again() -> None:
    waiting = WaitingTime(5)
    waiting.refused(100)
    waiting.refused(100.9)
    assert [waiting.seconds(now) for now in (100.9, 101.5, 101.8)] == [pytest.approx(0.5)] * 3
    assert waiting.seconds(102) == 5
