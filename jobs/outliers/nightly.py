"""When the nightly job runs: at an hour of a named time zone, a little later on each host."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from socket import gethostname
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from jobs.settings import JobSettings

_DAY = timedelta(days=1)


class Nightly(BaseTrigger):  # type: ignore[misc]
    """Once a day of a time zone, whatever its clocks do.

    Where clocks go forward over the hour, it comes as much later; where they go back to it, its
    first time counts.
    """

    def __init__(self, hour: int, zone: ZoneInfo, jitter: timedelta, seed: str) -> None:
        self.hour, self.zone, self.jitter = hour, zone, jitter
        self._seed = seed

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The first time from now on; what was missed is left to the catch-up."""
        today = now.astimezone(self.zone).date()
        times = [self.time_on(today + days * _DAY) for days in (-1, 0, 1, 2)]
        return min(
            each
            for each in times
            if each >= now and (previous_fire_time is None or each > previous_fire_time)
        )

    def last_time(self, now: datetime) -> datetime:
        """The last time at or before now."""
        today = now.astimezone(self.zone).date()
        times = [self.time_on(today + days * _DAY) for days in (-2, -1, 0, 1)]
        return max(each for each in times if each <= now)

    def time_on(self, day: date) -> datetime:
        """When it runs on a day of its zone, in UTC; the same whenever it is asked."""
        begin = datetime.combine(day, time(self.hour), self.zone).astimezone(UTC)
        # Not a secret: it keeps many hosts from training in the same second.
        return begin + self.jitter * Random(f"{self._seed} {day}").random()  # noqa: S311


def nightly(settings: JobSettings) -> Nightly:
    """The trigger of the nightly job on this host."""
    schedule = settings.schedule
    return Nightly(
        schedule.retrain_hour,
        ZoneInfo(schedule.retrain_time_zone),
        timedelta(minutes=schedule.retrain_jitter_minutes),
        f"{gethostname()} {settings.store.var_dir}",
    )
