from datetime import UTC, datetime, timedelta

import pytest

from jobs.clocks.clock_watch import ClockStep, ClockWatch

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clocks:
    """A time of day that can be set, and a clock that nobody sets."""

    def __init__(self) -> None:
        self.now, self.steady = NOON, 50.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.steady += seconds

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.now, lambda: self.steady)


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0, -5.0, 90.0])
def test_a_step_in_either_direction_is_noticed_once(seconds: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.pass_by(10)
    clocks.now += timedelta(seconds=seconds)
    step = watch.look()
    assert step is not None
    assert step.seconds == pytest.approx(seconds)
    assert step.noticed_at == clocks.now
    clocks.pass_by(10)
    assert watch.look() is None


@pytest.mark.parametrize("asleep_seconds", [10.0, 3 * 3600.0])
def test_time_that_passes_is_no_step_however_long(asleep_seconds: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.pass_by(asleep_seconds)
    assert watch.look() is None


def test_a_clock_that_is_set_right_bit_by_bit_does_not_step() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for _ in range(100):
        clocks.pass_by(10)
        clocks.now += timedelta(seconds=0.8)
        assert watch.look() is None


def test_a_process_that_stood_still_between_both_readings_sees_no_step() -> None:
    clocks = Clocks()
    pauses = iter([0.0, 0.0, 600.0, 0.0, 0.0])

    def read_steady() -> float:
        clocks.pass_by(next(pauses))
        return clocks.steady

    watch = ClockWatch(lambda: clocks.now, read_steady)
    look: ClockStep | None = watch.look()
    assert look is None
