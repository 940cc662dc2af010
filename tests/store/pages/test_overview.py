"""Counts over a window, on both databases."""

from collections.abc import Callable
from datetime import datetime, timedelta

from detectors.verdict import Verdict
from store.alerts.alerts import Condition, acknowledge, apply_condition
from store.counts.invalid_requests import InvalidRequests, InvalidShare, invalid_requests
from store.counts.periods import Period
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.scopes import Kind, Scope
from store.engine.database import Database
from store.pages.overview import (
    Headline,
    ReasonCount,
    VerdictCount,
    busiest_clients,
    headline,
    top_reasons,
    verdicts_over_time,
)
from store.requests.records import Stage

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
Add = Callable[..., int]


def _condition(fingerprint: str, *, active: bool = True) -> Condition:
    return Condition(fingerprint, "rule", "warning", active, 1, 0, "Odd.", "AML.T0043", "ML01:2023")


def _decide(database: Database, now: datetime, kind: Kind, value: str, simulated: bool) -> None:
    new = NewDecision(
        kind, Scope.CLIENT, value, "by_hand", "analyst", "A test.", "me", now + HOUR, simulated
    )
    with database.write() as session:
        add_decision(session, new, now)


def test_an_empty_store_has_a_headline_of_zeros(database: Database, now: datetime) -> None:
    with database.read() as session:
        assert headline(session, Period(now), now) == Headline(
            0, 0, InvalidShare(0, 0), 0, 0, 0, 0, 0
        )
        assert verdicts_over_time(session, Period(now), 60) == ()
        assert top_reasons(session, Period(now), 5) == ()
        assert busiest_clients(session, Period(now), 5) == ()
        assert invalid_requests(session, Period(now), 5) == InvalidRequests((), (), ())


def test_the_headline_counts_what_happened_and_what_holds(
    database: Database, add: Add, score: Callable[[int, bool], None], now: datetime
) -> None:
    score(add(), True)
    score(add(), False)
    score(add(received_at=now - 2 * HOUR), True)
    add(client="cli:local", verdict=Verdict.FLAG)
    add(client="cli:local", verdict=Verdict.REFUSE, stage=Stage.ADMISSION)
    for value, simulated in (("a", False), ("b", True), ("c", True)):
        _decide(database, now, Kind.BLOCK, value, simulated)
    _decide(database, now, Kind.BLOCK, "over", False)
    _decide(database, now, Kind.ALLOW, "over", False)
    with database.write() as session:
        first = apply_condition(session, _condition("a"), now)
        apply_condition(session, _condition("b"), now)
        apply_condition(session, _condition("c"), now)
        apply_condition(session, _condition("c", active=False), now)
        assert first is not None
        acknowledge(session, first.id, "chief", now)
        found = headline(session, Period(now - HOUR), now)
    assert found == Headline(
        requests=4,
        clients=2,
        invalid=InvalidShare(1, 3),
        outliers=1,
        blocks=1,
        simulated_blocks=2,
        firing_alerts=2,
        unacknowledged_alerts=1,
    )


def test_verdicts_are_counted_in_slices_of_the_clock(
    database: Database, add: Add, now: datetime
) -> None:
    add(received_at=now)
    add(received_at=now + timedelta(minutes=14, seconds=59.9))
    add(received_at=now + timedelta(minutes=15))
    add(received_at=now + timedelta(minutes=31), verdict=Verdict.FLAG)
    add(received_at=now - SECOND)
    with database.read() as session:
        found = verdicts_over_time(session, Period(now), slice_seconds=900)
    assert found == (
        VerdictCount(now, Verdict.PASS, 2),
        VerdictCount(now + timedelta(minutes=15), Verdict.PASS, 1),
        VerdictCount(now + timedelta(minutes=30), Verdict.FLAG, 1),
    )


def test_every_reason_of_a_request_that_did_not_pass_is_counted(
    database: Database, add: Add, now: datetime
) -> None:
    both = ("no_person_found", "declared_type_differs")
    add(verdict=Verdict.FLAG, reasons=both)
    add(verdict=Verdict.FLAG, reasons=both[:1])
    add(verdict=Verdict.PASS, reasons=both[1:])
    add(verdict=Verdict.FLAG, reasons=both, received_at=now - HOUR)
    with database.read() as session:
        found = top_reasons(session, Period(now), most=5)
        assert top_reasons(session, Period(now), most=1) == found[:1]
    assert found == (
        ReasonCount("no_person_found", Verdict.FLAG, 2),
        ReasonCount("declared_type_differs", Verdict.FLAG, 1),
    )


def test_the_busiest_clients_come_first_with_their_bad_share(
    database: Database, add: Add, now: datetime
) -> None:
    for verdict in (Verdict.PASS, Verdict.FLAG, Verdict.REFUSE):
        add(client="ip:198.51.100.9", verdict=verdict)
    add(client="b", received_at=now + SECOND)
    add(client="a")
    with database.read() as session:
        busy, second, third = busiest_clients(session, Period(now), most=3)
        assert len(busiest_clients(session, Period(now), most=2)) == 2
    assert (busy.client, busy.requests, busy.bad, busy.bad_share) == (
        "ip:198.51.100.9",
        3,
        2,
        2 / 3,
    )
    assert [second.client, third.client] == ["a", "b"]


def test_invalid_requests_are_summed_up_by_their_heaviest_reason(
    database: Database, add: Add, now: datetime
) -> None:
    add(verdict=Verdict.FLAG, reasons=("no_person_found", "declared_type_differs"))
    add(verdict=Verdict.REFUSE, stage=Stage.GATE, reasons=("truncated",), client="b")
    add(verdict=Verdict.REFUSE, stage=Stage.GATE, reasons=("truncated",), client="b")
    add(verdict=Verdict.REFUSE, stage=Stage.FAILED, request_id="f" * 36)
    add(verdict=Verdict.REFUSE, stage=Stage.ADMISSION, reasons=("blocked",))
    with database.read() as session:
        found = invalid_requests(session, Period(now), most=9)
        short = invalid_requests(session, Period(now), most=1)
    assert found.reasons == (("truncated", 2), ("no reason recorded", 1), ("no_person_found", 1))
    assert found.clients == (("b", 2), ("ip:203.0.113.7", 2))
    assert len(found.request_ids) == 4
    assert (short.reasons, short.clients) == (found.reasons[:1], found.clients[:1])
    assert short.request_ids == ("f" * 36,)
