"""The hour of the night: one run a day of the zone, whatever its clocks do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.outliers.nightly import Nightly

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
NO_JITTER = timedelta(0)


def in_berlin(hour: int, jitter: timedelta = NO_JITTER, seed: str = "host") -> Nightly:
    return Nightly(hour, BERLIN, jitter, seed)


def fire(trigger: Nightly, begin: datetime, count: int) -> list[datetime]:
    times, now, previous = [], begin, None
    for _ in range(count):
        previous = now = trigger.get_next_fire_time(previous, now)
        times.append(previous)
    return times


@pytest.mark.parametrize(
    ("day", "hour", "utc"),
    [
        (date(2026, 1, 10), 2, datetime(2026, 1, 10, 1, tzinfo=UTC)),
        (date(2026, 7, 10), 2, datetime(2026, 7, 10, 0, tzinfo=UTC)),
        # There is no two o'clock: clocks go from two to three.
        (date(2026, 3, 29), 2, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        # There are two: the first one counts.
        (date(2026, 10, 25), 2, datetime(2026, 10, 25, 0, tzinfo=UTC)),
        (date(2026, 10, 25), 3, datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ],
)
def test_the_hour_is_one_of_the_zone(day: date, hour: int, utc: datetime) -> None:
    assert in_berlin(hour).time_on(day) == utc


@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
@pytest.mark.parametrize("zone", ZONES)
def test_every_day_of_a_year_has_one_run(zone: str, hour: int) -> None:
    trigger = Nightly(hour, ZoneInfo(zone), timedelta(minutes=45), "host")
    begin = datetime(2025, 12, 31, 22, 30, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = fire(trigger, begin, 366)
    assert times == sorted(set(times))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) > timedelta(hours=22)
    assert max(gaps) < timedelta(hours=26)


def test_a_host_has_its_own_minute_of_each_night_and_keeps_it() -> None:
    jitter = timedelta(minutes=60)
    one, other = (in_berlin(2, jitter, seed) for seed in ("one", "other"))
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(20)]
    assert [one.time_on(day) for day in days] == [one.time_on(day) for day in days]
    assert all(one.time_on(day) != other.time_on(day) for day in days)
    late = [one.time_on(day) - in_berlin(2).time_on(day) for day in days]
    assert all(NO_JITTER <= each <= jitter for each in late)
    assert len(set(late)) == len(days)


@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    jitter=st.integers(0, 180),
    now=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
@settings(deadline=None, max_examples=100)
def test_what_was_due_last_and_comes_next_stand_around_now(
    zone: str, hour: int, jitter: int, now: datetime
) -> None:
    trigger = Nightly(hour, ZoneInfo(zone), timedelta(minutes=jitter), "host")
    last, following = trigger.last_time(now), trigger.get_next_fire_time(None, now)
    assert last <= now <= following
    assert trigger.get_next_fire_time(last, now) == (following if following != last else now) or (
        following == last == now
    )
    assert following - last < timedelta(hours=29)
