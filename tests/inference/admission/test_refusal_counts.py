"""What is turned away without a record is counted by client, and the counts are not lost."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Thread

import pytest

from detectors.evidence.kinds import EvidenceKind
from inference.admission.refusal_counts import RefusalCounts
from inference.metrics import Metrics
from inference.refusals import OVERLOADED, RATE_LIMITED, TOO_MANY_UPLOADS
from store.counts.periods import Period
from store.counts.turned_away import RefusalCount, count_floods, count_turned_away
from store.engine.database import Database, StoreUnavailable

FLOODER = "ip:198.51.100.9"
HOUR = timedelta(hours=1)


@pytest.fixture
def counts(database: Database) -> Iterator[RefusalCounts]:
    built = RefusalCounts(database, Metrics(), most=3)
    yield built
    built.close()


def stored_floods(database: Database, now: datetime) -> dict[str, int]:
    with database.read() as session:
        return count_floods(session, now - HOUR)


def test_refusals_are_stored_by_kind_and_client(
    database: Database, counts: RefusalCounts, now: datetime
) -> None:
    for refusal in (RATE_LIMITED, TOO_MANY_UPLOADS, OVERLOADED):
        counts.count(FLOODER, refusal, now)
    counts.store()
    counts.count(FLOODER, RATE_LIMITED, now)
    counts.store()
    assert stored_floods(database, now) == {FLOODER: 3}
    with database.read() as session:
        counts_by_kind = count_turned_away(session, Period(now - HOUR))
    assert RefusalCount(EvidenceKind.SERVICE, 1, 1) in counts_by_kind


def test_no_count_is_lost_while_another_thread_stores(
    database: Database, counts: RefusalCounts, now: datetime
) -> None:
    def count() -> None:
        for _ in range(500):
            counts.count(FLOODER, RATE_LIMITED, now)

    threads = [Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        counts.store()
    counts.store()
    assert stored_floods(database, now) == {FLOODER: 2000}


def test_a_flood_of_names_is_counted_and_not_told_apart(
    database: Database, counts: RefusalCounts, now: datetime
) -> None:
    for number in range(50):
        counts.count(f"ip:203.0.113.{number}", RATE_LIMITED, now)
    counts.store()
    assert len(stored_floods(database, now)) == 3
    with database.read() as session:
        [counted] = count_turned_away(session, Period(now - HOUR))
    assert counted.requests == 50


def test_counts_wait_while_the_database_is_away(
    database: Database,
    counts: RefusalCounts,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise StoreUnavailable("The database cannot be reached.")

    counts.count(FLOODER, RATE_LIMITED, now)
    with monkeypatch.context() as away:
        away.setattr(database, "write", fail)
        with pytest.raises(StoreUnavailable):
            counts.store()
    counts.close()
    assert stored_floods(database, now) == {FLOODER: 1}
