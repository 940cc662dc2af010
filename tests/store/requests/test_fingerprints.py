"""Fingerprints are written with their record, found by their keys, and forgotten in time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from detectors.probing.fingerprint import Fingerprint, Fingerprinter
from detectors.verdict import Verdict
from store.engine.database import Database
from store.requests.fingerprints import Trail, client_trail, forget_fingerprints, lookalikes
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Trace
from store.tables.request_tables import FingerprintRow, RequestRow, fingerprint_keys_table
from tests.makers import make_record

Add = Callable[..., int]
_PRINT = Fingerprinter(b"a secret of the tests").of(
    np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8),
    np.zeros((64, 64), dtype=np.uint8),
)


def _trace(*keys: int, family: str = "first") -> Trace:
    return Trace(_PRINT.to_bytes(), keys, family)


def _count(database: Database) -> tuple[int, int]:
    with database.read() as session:
        prints = session.scalar(select(func.count()).select_from(FingerprintRow))
        keys = session.scalar(select(func.count()).select_from(fingerprint_keys_table))
    return prints or 0, keys or 0


def test_pictures_are_found_by_any_key_in_the_window_newest_first(
    database: Database, add: Add, now: datetime
) -> None:
    smallest, largest = -(2**63), 2**63 - 1
    add(trace=_trace(smallest, 2, family="old"), received_at=now - timedelta(hours=2))
    add(trace=_trace(smallest, 2), client="ip:192.0.2.1", received_at=now - timedelta(minutes=2))
    add(trace=_trace(2, largest), client="ip:192.0.2.2", received_at=now - timedelta(minutes=1))
    add(trace=_trace(7), received_at=now)
    add(received_at=now)
    with database.read() as session:
        found = lookalikes(session, (smallest, largest), now - timedelta(hours=1), 10)
        newest = lookalikes(session, (2,), now - timedelta(hours=1), 1)
        nothing = lookalikes(session, (), now, 10)
    assert [member.client for member in found] == ["ip:192.0.2.2", "ip:192.0.2.1"]
    assert [member.client for member in newest] == ["ip:192.0.2.2"]
    assert nothing == ()
    [first, second] = found
    assert (first.family, second.received_at) == ("first", now - timedelta(minutes=2))
    assert isinstance(first.fingerprint, Fingerprint)
    assert first.fingerprint.to_bytes() == _PRINT.to_bytes()


def test_a_lookup_costs_one_range_of_an_index_for_each_key(database: Database, add: Add) -> None:
    if database.dialect != "sqlite":
        pytest.skip("SQLite alone explains its plan whatever the size of the table")
    add(trace=_trace(1, 2))
    with database.read() as session:
        connection = session.connection()
        statement = select(fingerprint_keys_table.c.request_pk).where(
            fingerprint_keys_table.c.key == 1
        )
        text = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")
        asked = [str(row[-1]) for row in plan]
    assert asked == ["SEARCH fingerprint_keys USING PRIMARY KEY (key=?)"]


def test_a_record_that_is_written_again_keeps_one_fingerprint(database: Database) -> None:
    record = RequestRecord.from_json(make_record(trace=_trace(1, 2)).to_json())
    for is_new in (True, False):
        with database.write() as session:
            assert add_record(session, record) is is_new
    assert _count(database) == (1, 2)


def test_old_fingerprints_are_forgotten_in_batches_with_their_keys(
    database: Database, add: Add, now: datetime
) -> None:
    for minutes in range(5):
        add(trace=_trace(1, 10 + minutes), received_at=now - timedelta(minutes=minutes))
    before = now - timedelta(minutes=1)
    with database.write() as session:
        assert forget_fingerprints(session, before, 2) == 2
    assert _count(database) == (3, 6)
    with database.write() as session:
        assert forget_fingerprints(session, before, 2) == 1
        assert forget_fingerprints(session, before, 2) == 0
    assert _count(database) == (2, 4)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(RequestRow)) == 5


def test_a_trail_holds_the_newest_requests_of_one_client(
    database: Database, add: Add, now: datetime
) -> None:
    for minutes, verdict in ((30, Verdict.PASS), (3, Verdict.REFUSE), (2, Verdict.FLAG)):
        add(received_at=now - timedelta(minutes=minutes), verdict=verdict)
    add(client="ip:192.0.2.9", received_at=now)
    with database.read() as session:
        since = now - timedelta(minutes=10)
        trail = client_trail(session, "ip:203.0.113.7", since, 10)
        newest = client_trail(session, "ip:203.0.113.7", since, 1)
        nobody = client_trail(session, "ip:192.0.2.77", since, 10)
    times = tuple(now - timedelta(minutes=minutes) for minutes in (2, 3))
    assert trail == Trail(times, (False, True))
    assert newest == Trail(times[:1], (False,))
    assert nobody == Trail()
