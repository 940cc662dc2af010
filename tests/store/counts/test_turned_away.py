from datetime import datetime, timedelta

from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from store.counts.periods import WINDOWS
from store.counts.roll_ups import forget_client
from store.counts.turned_away import RefusalCount, add_turned_away, count_floods, count_turned_away
from store.engine.database import Database
from store.pages.overview import headline, verdicts_over_time
from store.requests.record_store import add_record
from store.requests.records import Stage
from tests.makers import make_record

FLOODER, GUEST = "ip:198.51.100.9", "ip:203.0.113.8"


def fill(database: Database, now: datetime) -> None:
    minute = int(now.timestamp()) // 60 * 60
    counts = {
        (EvidenceKind.FLOOD, FLOODER, minute): 200,
        (EvidenceKind.FLOOD, FLOODER, minute - 300): 52,
        (EvidenceKind.SERVICE, FLOODER, minute): 7,
        (EvidenceKind.SERVICE, GUEST, minute): 2,
        (EvidenceKind.FLOOD, GUEST, minute - 7200): 1,
    }
    with database.write() as session:
        add_turned_away(session, counts)


def test_each_window_shows_how_many_and_from_how_many_clients(
    database: Database, now: datetime
) -> None:
    fill(database, now)
    with database.read() as session:
        hour, *longer = (
            count_turned_away(session, window.period(now)) for window in WINDOWS.values()
        )
    assert hour == (
        RefusalCount(EvidenceKind.FLOOD, 252, 1),
        RefusalCount(EvidenceKind.SERVICE, 9, 2),
    )
    assert longer == 3 * [
        (RefusalCount(EvidenceKind.FLOOD, 253, 2), RefusalCount(EvidenceKind.SERVICE, 9, 2))
    ]


def test_they_count_as_requests_and_are_drawn_as_refused(database: Database, now: datetime) -> None:
    fill(database, now)
    with database.write() as session:
        add_record(session, make_record(received_at=now - timedelta(seconds=1)))
        recorded = make_record(
            received_at=now, stage=Stage.ADMISSION, verdict=Verdict.REFUSE, status=429
        )
        add_record(session, recorded)
    with database.read() as session:
        for window, requests in (("1h", 263), ("24h", 264), ("7d", 264)):
            period = WINDOWS[window].period(now)
            shown = headline(session, period, now)
            assert shown.requests == requests
            assert shown.invalid.total == 1
            drawn = verdicts_over_time(session, period, WINDOWS[window].slice_seconds)
            assert sum(each.count for each in drawn) == requests


def test_floods_are_those_of_a_client_since_a_time(database: Database, now: datetime) -> None:
    fill(database, now)
    with database.read() as session:
        assert count_floods(session, now - timedelta(hours=1)) == {FLOODER: 252}
        assert count_floods(session, now - timedelta(minutes=3)) == {FLOODER: 200}
        assert count_floods(session, now - timedelta(hours=3), GUEST) == {GUEST: 1}


def test_an_erased_client_stays_counted_without_its_name(database: Database, now: datetime) -> None:
    fill(database, now)
    with database.write() as session:
        forget_client(session, FLOODER)
    with database.read() as session:
        assert FLOODER not in count_floods(session, now - timedelta(hours=1))
        assert headline(session, WINDOWS["24h"].period(now), now).requests == 262
