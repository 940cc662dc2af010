"""Periods that pages show: up to an hour of records, or longer ones that are read from roll-ups."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Resolution(IntEnum):
    """How long the buckets of a roll-up are, in seconds; each begins at a multiple of it."""

    MINUTE = 60
    HOUR = 3600
    DAY = 86_400

    def start(self, moment: datetime) -> int:
        """Where the bucket of a time begins, in seconds since 1970."""
        seconds = int(moment.timestamp())
        return seconds - seconds % self


@dataclass(frozen=True)
class Span:
    """Buckets of one resolution, by where they begin: ``start <= begin < end``; open without end.

    Both are seconds since 1970.
    """

    resolution: Resolution
    start: int
    end: int | None = None


@dataclass(frozen=True)
class Period:
    """A stretch of time that ends now.

    Attributes:
        since: where it begins; if it is rolled up, where a bucket begins.
        from_roll_ups: whether it is read from roll-ups and the records that are not in them yet.
    """

    since: datetime
    from_roll_ups: bool = False

    @classmethod
    def until(cls, now: datetime, span: timedelta) -> "Period":
        """The period that ends now.

        Up to an hour it is exact. Up to a day it begins at a full minute, and a longer one at a
        full hour: just before, so that it is never too short.

        >>> now = datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)
        >>> [f"{Period.until(now, n * _HOUR).since:%d. %H:%M:%S}" for n in (1, 24, 48)]
        ['02. 11:34:56', '01. 12:34:00', '28. 12:00:00']
        """
        if span <= _HOUR:
            return cls(now - span)
        begins = Resolution.MINUTE if span <= _DAY else Resolution.HOUR
        return cls(datetime.fromtimestamp(begins.start(now - span), UTC), from_roll_ups=True)

    def spans(self, coarsest: Resolution = Resolution.DAY) -> tuple[Span, ...]:
        """The buckets that cover it: minutes up to a full hour, hours up to a full day, then days.

        Args:
            coarsest: nothing longer than this.
        """
        buckets = []
        start = Resolution.MINUTE.start(self.since)
        for resolution, next_one in (
            (Resolution.MINUTE, Resolution.HOUR),
            (Resolution.HOUR, Resolution.DAY),
        ):
            end = -(-start // next_one) * next_one
            if resolution < coarsest and start < end:
                buckets.append(Span(resolution, start, end))
                start = end
        return (*buckets, Span(coarsest, start))


@dataclass(frozen=True)
class Window:
    """A length of time to choose, and how finely it is drawn."""

    label: str
    span: timedelta
    slice_seconds: int

    def period(self, now: datetime) -> Period:
        """The stretch of that length that ends now."""
        return Period.until(now, self.span)


WINDOWS: dict[str, Window] = {
    "1h": Window("1 hour", _HOUR, 60),
    "24h": Window("24 hours", _DAY, 1800),
    "7d": Window("7 days", timedelta(days=7), 4 * 3600),
    "30d": Window("30 days", timedelta(days=30), 86_400),
}
DEFAULT_WINDOW = "24h"
"""What pages show unless somebody chooses."""
