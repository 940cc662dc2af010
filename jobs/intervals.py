"""When interval jobs run; what was missed is one run, however much that is."""

from datetime import datetime

from apscheduler.triggers.interval import IntervalTrigger


class Interval(IntervalTrigger):  # type: ignore[misc]
    """Every so many seconds, from when it was made.

    APScheduler asks for each time that was missed, with the schedule locked: after a clock went
    forward by years, from that of a machine without a battery, it would count for many minutes.
    """

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first time after the last one that lies in the future."""
        if previous_fire_time is not None:
            missed = (now - previous_fire_time) // self.interval
            previous_fire_time += max(0, missed) * self.interval
        following: datetime = super().get_next_fire_time(previous_fire_time, now)
        return following


def every(seconds: int) -> Interval:
    """A trigger, by UTC."""
    return Interval(seconds=seconds, timezone="UTC")
