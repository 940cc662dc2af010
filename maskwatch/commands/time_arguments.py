"""Times that people type: a date, a time, how long ago, or how long."""

import re
from datetime import UTC, datetime, timedelta

from detectors.errors import MaskwatchError

_SPAN = re.compile(r"(\d{1,6})(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class BadTime(MaskwatchError):
    """A time that cannot be read."""


def read_end(span: str, now: datetime) -> datetime:
    """The end of something that lasts so long from now on.

    >>> read_end("90min", datetime(2026, 3, 2, 12, tzinfo=UTC)).isoformat()
    '2026-03-02T13:30:00+00:00'

    Raises:
        BadTime: it is no span.
    """
    parts = _SPAN.fullmatch(span.strip())
    if parts is None:
        raise BadTime(f"The span {span!r} cannot be read: write 90min, 24h or 7d.")
    return now + int(parts[1]) * _UNITS[parts[2]]


def read_time(text: str, now: datetime) -> datetime:
    """The time that somebody means; in UTC where no zone is given.

    >>> noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    >>> [f"{read_time(text, noon):%d %H:%M}" for text in ("2026-03-01T08:30+01:00", "2d")]
    ['01 07:30', '28 12:00']

    Raises:
        BadTime: it is no time, or lies outside of the years that there are.
    """
    words = text.strip()
    try:
        if ago := _SPAN.fullmatch(words):
            return now - int(ago[1]) * _UNITS[ago[2]]
        time = datetime.fromisoformat(words)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadTime(
            f"The time {text!r} cannot be read: write a date (2026-03-01), a time in UTC "
            "(2026-03-01T08:30), or how long ago it was (90min, 24h, 7d)."
        ) from None
