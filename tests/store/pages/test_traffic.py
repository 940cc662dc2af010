"""Requests page by page, filtered, without losing or repeating one."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from detectors.verdict import Verdict
from store.counts.roll_ups import roll_up
from store.engine.database import Database
from store.pages import traffic
from store.pages.client_search import MAX_CLIENTS
from store.pages.traffic import TrafficFilter, TrafficPage, requests_of_client, traffic_page
from store.requests.records import Stage

Add = Callable[..., int]
MINUTE = timedelta(minutes=1)


def _page(database: Database, wanted: TrafficFilter, most: int = 50, **keys: object) -> TrafficPage:
    with database.read() as session:
        return traffic_page(session, wanted, most, **keys)  # type: ignore[arg-type]


def _pks(page: TrafficPage) -> list[int]:
    return [request.pk for request in page.requests]


def test_pages_go_back_and_forth_without_gaps_even_within_one_moment(
    database: Database, add: Add, now: datetime
) -> None:
    # Three requests share a moment, so that a page ends in the middle of it.
    minutes = (4, 3, 2, 1, 1, 1, 0)
    stored = [add(received_at=now - minute * MINUTE) for minute in minutes]
    expected = stored[::-1]
    everything = TrafficFilter(now - 9 * MINUTE)

    first = _page(database, everything, 3)
    second = _page(database, everything, 3, before=first.requests[-1].pk)
    third = _page(database, everything, 3, before=second.requests[-1].pk)
    assert _pks(first) + _pks(second) + _pks(third) == expected
    edges = [(page.newer, page.older) for page in (first, second, third)]
    assert edges == [(False, True), (True, True), (True, False)]

    back = _page(database, everything, 3, after=third.requests[0].pk)
    assert back == second
    start = _page(database, everything, 3, after=second.requests[0].pk)
    assert (_pks(start), start.newer) == (_pks(first), False)


def test_requests_that_arrive_meanwhile_do_not_shift_a_page(
    database: Database, add: Add, now: datetime
) -> None:
    for minute in (3, 2, 1, 0):
        add(received_at=now - minute * MINUTE)
    everything = TrafficFilter(now - 9 * MINUTE)
    last = _page(database, everything, 2).requests[-1].pk
    before = _page(database, everything, 2, before=last)
    add(received_at=now + MINUTE)
    assert _page(database, everything, 2, before=last) == before


def test_filters_narrow_and_combine(
    database: Database, add: Add, score: Callable[[int, bool], None], now: datetime
) -> None:
    plain = add()
    flagged = add(verdict=Verdict.FLAG, reasons=("no_person_found", "declared_type_differs"))
    refused = add(
        client="ip:198.51.100.9",
        verdict=Verdict.REFUSE,
        stage=Stage.GATE,
        reasons=("no_person",),
    )
    outlier = add(client="ip:198.51.100.9")
    old = add(received_at=now - 5 * MINUTE)
    score(outlier, True)
    score(plain, False)

    def found(**changes: object) -> set[int]:
        wanted = {"since": now - MINUTE, **changes}
        return set(_pks(_page(database, TrafficFilter(**wanted))))  # type: ignore[arg-type]

    assert found() == {plain, flagged, refused, outlier}
    assert found(since=now - 5 * MINUTE) == {plain, flagged, refused, outlier, old}
    assert found(verdicts=(Verdict.FLAG, Verdict.REFUSE)) == {flagged, refused}
    assert found(client="198.51") == {refused, outlier}
    assert found(reason="declared_type_differs") == {flagged}
    assert found(reason="no_person_found") == {flagged}
    assert found(reason="no_person") == {refused}
    assert found(outliers_only=True) == {outlier}
    assert found(client="198.51", verdicts=(Verdict.REFUSE,), outliers_only=True) == set()


def test_a_search_that_finds_little_stops_and_goes_on_where_it_stopped(
    database: Database, add: Add, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "_MAX_ROWS", 4)
    stored = []
    for minute in range(24, 0, -1):
        rare = minute in {20, 9, 2}
        verdict = Verdict.REFUSE if rare else Verdict.FLAG
        client = "ip:192.0.2.1" if minute % 2 else "ip:192.0.2.2"
        changes = {"verdict": verdict, "client": client, "reasons": ("blank",)}
        pk = add(received_at=now - minute * MINUTE, **changes)
        stored += [pk] if rare else []
    for narrowed in ({"client": "192.0.2"}, {"reason": "blank"}):
        wanted = TrafficFilter(now - 30 * MINUTE, (Verdict.REFUSE,), **narrowed)  # type: ignore[arg-type]
        page = _page(database, wanted, 2)
        found, pages = _pks(page), 1
        while page.older:
            last = page.requests[-1].pk if page.stop_key is None else page.stop_key
            page = _page(database, wanted, 2, before=last)
            found += _pks(page)
            pages += 1
        assert found == stored[::-1]
        assert pages > 3
        back: list[int] = []
        first = stored[0] - 1
        page = _page(database, wanted, 2, after=first)
        while page.newer:
            back = _pks(page) + back
            first = page.requests[0].pk if page.stop_key is None else page.stop_key
            page = _page(database, wanted, 2, after=first)
        assert _pks(page) + back == stored[::-1]


def test_the_newest_of_many_matching_clients_are_looked_for(
    database: Database, add: Add, now: datetime
) -> None:
    for number in range(MAX_CLIENTS):
        add(client=f"ip:192.0.2.{number}", received_at=now - (60 - number) * MINUTE)
    wanted = TrafficFilter(now - 90 * MINUTE, client="192.0.2")
    with database.write() as session:
        roll_up(session, now, 1000)
    newest = add(client="ip:192.0.2.99", received_at=now)
    page = _page(database, wanted)
    assert page.more_clients
    assert _pks(page)[0] == newest
    clients = {request.client for request in page.requests}
    assert len(clients) == MAX_CLIENTS - 1
    assert "ip:192.0.2.0" not in clients
    one = _page(database, TrafficFilter(now - 90 * MINUTE, client="ip:192.0.2.0"))
    assert [request.client for request in one.requests] == ["ip:192.0.2.0"]


@pytest.mark.parametrize("wildcard", ["%", "_p", "\\", "'", '"'])
def test_what_is_typed_is_taken_literally(
    database: Database, add: Add, now: datetime, wildcard: str
) -> None:
    add()
    assert _pks(_page(database, TrafficFilter(now, client=wildcard))) == []
    strange = add(client=f"key:a{wildcard}b")
    assert _pks(_page(database, TrafficFilter(now, client=wildcard))) == [strange]


def test_a_line_tells_what_a_list_shows(
    database: Database, add: Add, score: Callable[[int, bool], None], now: datetime
) -> None:
    score(add(verdict=Verdict.FLAG, reasons=("no_person_found",), request_id="a" * 36), True)
    [line] = _page(database, TrafficFilter(now)).requests
    assert (line.request_id, line.client, line.status) == ("a" * 36, "ip:203.0.113.7", 200)
    assert (line.stage, line.verdict, line.outlier) == (Stage.PARSED, Verdict.FLAG, True)
    assert (line.received_at, line.reasons) == (now, ("no_person_found",))


def test_a_clients_requests_end_at_a_moment(database: Database, add: Add, now: datetime) -> None:
    stored = [add(received_at=now - minute * MINUTE) for minute in (3, 2, 1)]
    add(client="cli:local", received_at=now - MINUTE)
    add(received_at=now)
    with database.read() as session:
        found = requests_of_client(session, "ip:203.0.113.7", 2, until=now - MINUTE)
    assert [request.pk for request in found] == stored[:0:-1]
