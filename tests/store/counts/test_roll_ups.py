"""Roll-ups: each record is counted once, whatever happens between; and pages read the same."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from detectors.verdict import Verdict
from store.counts.invalid_requests import invalid_share
from store.counts.period_counts import OTHERS
from store.counts.periods import Period, Resolution
from store.counts.roll_up_upkeep import drop_old_clients, drop_old_counts, fold_names
from store.counts.roll_ups import forget_client, roll_up
from store.engine.database import Database
from store.pages.overview import busiest_clients, headline, top_reasons, verdicts_over_time
from store.requests.record_store import add_record
from store.requests.records import Stage
from store.tables.request_tables import RequestRow, reasons_table
from store.tables.roll_up_tables import ClientRow, RollUpRow, SequenceRow
from tests.makers import make_record

Add = Callable[..., int]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALL = 10**6

_records = st.fixed_dictionaries(
    {
        "minutes_ago": st.sampled_from([0, 1, 59, 61, 1439, 1500, 2881, 50_000, 131_000]),
        "client": st.sampled_from(["ip:192.0.2.1", "ip:192.0.2.2", "key:acme"]),
        "verdict": st.sampled_from(list(Verdict)),
        "stage": st.sampled_from(list(Stage)),
        "reasons": st.sampled_from([(), ("no_person_found",), ("blank", "truncated")]),
        "segmenter": st.sampled_from([None, "a" * 64]),
    }
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), _records),
        st.tuples(st.just("roll_up"), st.integers(1, 3)),
        st.tuples(st.just("crash"), st.integers(1, 3)),
    ),
    max_size=14,
)


class _Crash(Exception):
    """The process ends before it commits."""


def _clear(database: Database) -> None:
    with database.write() as session:
        session.execute(delete(RequestRow))
        session.execute(delete(reasons_table))
    _restart(database)


def _restart(database: Database) -> None:
    """Have every record counted again."""
    with database.write() as session:
        for row in (RollUpRow, ClientRow):
            session.execute(delete(row))
        session.execute(update(SequenceRow).where(SequenceRow.name != "requests").values(last=0))


def _roll_up(database: Database, now: datetime, most: int = ALL) -> int:
    with database.write() as session:
        return roll_up(session, now, most)


def _crash(database: Database, now: datetime, most: int) -> None:
    def interrupted() -> None:
        with database.write() as session:
            roll_up(session, now, most)
            raise _Crash

    with pytest.raises(_Crash):
        interrupted()


def _rows(database: Database) -> list[tuple[Any, ...]]:
    with database.read() as session:
        counts, clients = select(RollUpRow.__table__), select(ClientRow.__table__)
        return sorted(map(tuple, session.execute(counts))) + sorted(
            map(tuple, session.execute(clients))
        )


def _pages(database: Database, period: Period, now: datetime) -> tuple[object, ...]:
    with database.read() as session:
        return (
            headline(session, period, now),
            invalid_share(session, period),
            verdicts_over_time(session, period, 4 * 3600),
            verdicts_over_time(session, period, 86_400),
            set(top_reasons(session, period, 100)),
            busiest_clients(session, period, 100),
        )


@given(steps=_steps)
@settings(
    max_examples=25,
    # Each example is a database's work: a failure is told at once, not made smaller for minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
def test_any_order_of_records_crashes_and_rounds_counts_each_record_once(
    database: Database, now: datetime, steps: list[tuple[str, Any]]
) -> None:
    _clear(database)
    periods = [Period.until(now, span) for span in (DAY, 7 * DAY, 30 * DAY)]
    for step, given_ in steps:
        if step == "add":
            changes = dict(given_)
            at = now - changes.pop("minutes_ago") * MINUTE
            with database.write() as session:
                add_record(session, make_record(received_at=at, **changes))
        elif step == "roll_up":
            _roll_up(database, now, given_)
        else:
            _crash(database, now, given_)
    # Read from the records alone, which rounds do not change.
    expected = [_pages(database, Period(period.since), now) for period in periods]
    assert [_pages(database, period, now) for period in periods] == expected
    while _roll_up(database, now, 2):
        pass
    found = _rows(database)
    assert [_pages(database, period, now) for period in periods] == expected
    _restart(database)
    _roll_up(database, now)
    assert _rows(database) == found


def test_a_day_is_drawn_in_half_hours(database: Database, add: Add, now: datetime) -> None:
    for minutes in (5, 29, 31, 1439):
        add(received_at=now - minutes * MINUTE)
    period = Period.until(now, DAY)
    with database.read() as session:
        raw = verdicts_over_time(session, Period(period.since), 1800)
    assert [each.count for each in raw] == [1, 1, 2]
    _roll_up(database, now)
    with database.read() as session:
        assert verdicts_over_time(session, period, 1800) == raw


def test_a_replayed_record_of_an_old_day_is_counted_in_that_day(
    database: Database, add: Add, now: datetime
) -> None:
    add()
    assert _roll_up(database, now) == 1
    add(received_at=now - 40 * DAY, verdict=Verdict.FLAG)
    assert _roll_up(database, now) == 1
    assert _roll_up(database, now) == 0
    start = Resolution.DAY.start(now - 40 * DAY)
    with database.read() as session:
        [row] = session.scalars(
            select(RollUpRow).where(RollUpRow.start == start, RollUpRow.dimension == "stage")
        )
    assert (row.resolution, row.verdict, row.requests) == (Resolution.DAY, "flag", 1)


def test_closed_buckets_keep_their_largest_names(
    database: Database, add: Add, now: datetime
) -> None:
    for client, requests in (("a", 3), ("b", 2), ("c", 1), ("d", 1)):
        for n in range(requests):
            add(client=client, received_at=now - 30 * HOUR, verdict=list(Verdict)[n % 2])
    add(client="e")
    _roll_up(database, now)
    with database.write() as session:
        assert fold_names(session, now, max_names=2) == 3
        assert fold_names(session, now, max_names=2) == 0
    names = select(RollUpRow.name, RollUpRow.verdict, RollUpRow.requests).where(
        RollUpRow.resolution == Resolution.DAY,
        RollUpRow.dimension == "client",
        RollUpRow.start == Resolution.DAY.start(now - 30 * HOUR),
    )
    late = {"client": "f", "received_at": now - 30 * HOUR}
    with database.read() as session:
        folded = sorted(tuple(row) for row in session.execute(names))
        busiest = busiest_clients(session, Period.until(now, 7 * DAY), 9)
    verdicts = [verdict.value for verdict in Verdict][:2]
    assert folded == sorted(
        [
            (OTHERS, verdicts[0], 2),
            ("a", verdicts[0], 2),
            ("a", verdicts[1], 1),
            ("b", verdicts[0], 1),
            ("b", verdicts[1], 1),
        ]
    )
    assert [each.client for each in busiest] == ["a", "b", "e"]

    add(**late)
    _roll_up(database, now)
    with database.write() as session:
        assert fold_names(session, now, max_names=2) == 3
    with database.read() as session:
        assert (OTHERS, verdicts[0], 3) in [tuple(row) for row in session.execute(names)]


def test_old_buckets_and_clients_go_and_days_stay(
    database: Database, add: Add, now: datetime
) -> None:
    add()
    add(client="key:later", received_at=now + DAY)
    _roll_up(database, now)
    with database.write() as session:
        for days in (1, 3, 200):
            drop_old_counts(session, now + days * DAY, ALL)
            drop_old_clients(session, now + (days - 109) * DAY, ALL)
    with database.read() as session:
        left = set(session.scalars(select(RollUpRow.resolution)))
        clients = session.scalars(select(ClientRow.client)).all()
    assert left == {Resolution.DAY.value}
    assert clients == ["key:later"]


def test_a_forgotten_client_leaves_its_counts_under_no_name(
    database: Database, add: Add, now: datetime
) -> None:
    add(client="a")
    add(client="b", received_at=now - 30 * HOUR)
    add(client="b")
    add(client="c")
    _roll_up(database, now)
    with database.write() as session:
        forget_client(session, "a")
        forget_client(session, "b")
    period = Period.until(now, 7 * DAY)
    with database.read() as session:
        assert headline(session, period, now).requests == 4
        assert [each.client for each in busiest_clients(session, period, 9)] == ["c"]
        names = select(RollUpRow.name).where(RollUpRow.dimension == "client")
        assert set(session.scalars(names)) == {"(erased)", "c"}
        assert session.scalars(select(ClientRow.client)).all() == ["c"]
