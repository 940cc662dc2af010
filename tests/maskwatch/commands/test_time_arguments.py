"""Times that people type."""

from datetime import UTC, datetime, timedelta

import pytest

from maskwatch.commands.time_arguments import BadTime, read_time


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        (" 2026-03-01T08:30 ", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("2026-03-01 08:30:15.5Z", datetime(2026, 3, 1, 8, 30, 15, 500_000, tzinfo=UTC)),
        ("2026-03-01T08:30+05:30", datetime(2026, 3, 1, 3, 0, tzinfo=UTC)),
        ("90min", datetime(2026, 3, 2, 10, 30, tzinfo=UTC)),
        ("7d", datetime(2026, 2, 23, 12, tzinfo=UTC)),
    ],
)
def test_a_time_is_read(now: datetime, typed: str, meant: datetime) -> None:
    found = read_time(typed, now)
    assert found == meant
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "typed", ["", "soon", "-7d", "7w", "2026-02-30", "999999d", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_says_what_to_write(now: datetime, typed: str) -> None:
    with pytest.raises(BadTime, match="write a date"):
        read_time(typed, now)
