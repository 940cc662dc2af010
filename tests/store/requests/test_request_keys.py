"""Keys grow with time, whatever the clocks do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.request_keys import arrived_since, hand_out, key_of
from store.tables.request_tables import RequestRow
from tests.makers import make_record

DAY = timedelta(days=1)


def _handed(database: Database, arrivals: Sequence[datetime]) -> list[int]:
    with database.write() as session:
        return list(hand_out(session, arrivals))


def test_a_key_is_the_microsecond_of_the_arrival_or_later(
    database: Database, now: datetime
) -> None:
    [key] = _handed(database, [now])
    assert key == key_of(now) + 1


def test_keys_grow_when_the_clock_jumps_back(database: Database, now: datetime) -> None:
    ahead = _handed(database, [now + DAY])
    assert _handed(database, [now, now - DAY]) == [ahead[0] + 1, ahead[0] + 2]


def test_keys_of_a_transaction_that_fails_are_handed_out_again(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        hand_out(session, [now])
        session.rollback()
    assert _handed(database, [now]) == [key_of(now) + 1]


@settings(max_examples=20)
@given(minutes=st.lists(st.integers(-500, 500), min_size=1, max_size=8))
def test_a_stretch_of_time_is_a_range_of_keys(
    database: Database, now: datetime, minutes: list[int]
) -> None:
    arrivals = [now + timedelta(minutes=minute) for minute in minutes]
    with database.write() as session:
        assert add_records(session, [make_record(received_at=at) for at in arrivals]) == len(
            arrivals
        )
        found = session.scalars(select(RequestRow.received_at).where(arrived_since(now))).all()
        everything = session.scalars(select(RequestRow.received_at)).all()
        session.rollback()
    assert sorted(found) == sorted(at for at in everything if at >= now)


def test_the_first_key_of_a_time_counts_microseconds() -> None:
    assert key_of(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005


def test_a_time_without_a_zone_has_no_key() -> None:
    with pytest.raises(ValueError, match="time zone"):
        key_of(datetime(2026, 3, 2))  # noqa: DTZ001
