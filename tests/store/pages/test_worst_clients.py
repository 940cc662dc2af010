from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from store.counts.periods import WINDOWS, Period
from store.counts.turned_away import add_turned_away
from store.decisions.decisions import add_decision
from store.engine.database import Database
from store.pages.overview import top_reasons
from store.pages.worst_clients import TurnedAwayCount, read_turned_away, worst_clients
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from tests.makers import make_decision, make_record

CRAFTER, FLOODER, BUSY, OTHER = "ip:198.51.100.7", "ip:198.51.100.99", "ip:203.0.113.1", "key:acme"


def fill(database: Database, now: datetime) -> None:
    busy = [make_record(received_at=now, client=BUSY) for _ in range(20)]
    other = [make_record(received_at=now, client=OTHER)]
    crafted = [
        make_record(
            received_at=now, client=CRAFTER, verdict=Verdict.FLAG, reasons=("adversarial_picture",)
        )
        for _ in range(5)
    ]
    minute = int(now.timestamp()) // 60 * 60 - 120
    with database.write() as session:
        add_records(session, [*busy, *other, *crafted])
        add_turned_away(session, {(EvidenceKind.FLOOD, FLOODER, minute): 300})


def test_attackers_are_listed_in_every_window_and_nobody_beside_them(
    database: Database, now: datetime
) -> None:
    fill(database, now)
    for window in WINDOWS.values():
        with database.read() as session:
            shown = worst_clients(session, window.period(now), now, 3)
        assert [each.client for each in shown] == [FLOODER, CRAFTER]
        assert shown[0].counts == {EvidenceKind.FLOOD: 300}
        assert (shown[1].weight, shown[1].uploads) == (5, 5)


def test_a_client_stands_as_its_decisions_say(database: Database, now: datetime) -> None:
    fill(database, now)
    until = now + timedelta(hours=1)
    with database.write() as session:
        add_decision(session, make_decision(value=CRAFTER, until=until), now)
        add_decision(session, make_decision(value=FLOODER, until=until, simulated=True), now)
    with database.read() as session:
        shown = worst_clients(session, Period(now - timedelta(hours=1)), now, 4)
    standing = {each.client: each.is_blocked for each in shown}
    assert standing == {CRAFTER: True, FLOODER: None}


def flag_crafted(client: str, now: datetime, number: int, **more: Any) -> list[RequestRecord]:
    crafted = make_record(
        received_at=now,
        client=client,
        verdict=Verdict.FLAG,
        reasons=("adversarial_picture",),
        **more,
    )
    return [replace(crafted, request_id=str(uuid4())) for _ in range(number)]


def test_many_mistakes_and_repeats_of_honest_clients_hide_no_attacker(
    database: Database, now: datetime
) -> None:
    phones = [
        make_record(
            received_at=now,
            client=f"ip:203.0.113.{number}",
            stage=Stage.GATE,
            verdict=Verdict.REFUSE,
            reasons=("unsupported_type",),
        )
        for number in range(80)
        for _ in range(12)
    ]
    repeats = [
        record
        for number in range(80)
        for record in flag_crafted(f"ip:192.0.2.{number}", now, 12, content_sha256="a" * 64)
    ]
    with database.write() as session:
        add_records(session, [*phones, *repeats, *flag_crafted(CRAFTER, now, 4)])
    with database.read() as session:
        shown = worst_clients(session, Period(now - timedelta(hours=1)), now, 6)
    assert [each.client for each in shown] == [CRAFTER]


def test_the_addresses_of_one_network_of_ipv6_are_one_client(
    database: Database, now: datetime
) -> None:
    crafted = [
        record
        for number in range(4)
        for record in flag_crafted(f"ip:2001:db8::{number + 1:x}", now, 3)
    ]
    with database.write() as session:
        add_records(session, crafted)
    with database.read() as session:
        [shown] = worst_clients(session, Period(now - timedelta(hours=1)), now, 6)
    assert (shown.client, shown.weight) == ("ip:2001:db8::/64", 12)


def test_nobody_is_the_worst_of_nobody(database: Database, now: datetime) -> None:
    with database.read() as session:
        assert worst_clients(session, Period(now - timedelta(hours=1)), now, 4) == ()


def test_the_turned_away_are_counted_with_their_records(database: Database, now: datetime) -> None:
    fill(database, now)
    turned = [
        make_record(
            received_at=now,
            client=BUSY,
            stage=Stage.ADMISSION,
            verdict=Verdict.REFUSE,
            status=503,
            reasons=("overloaded",),
        )
        for _ in range(2)
    ]
    truncated = make_record(
        received_at=now, stage=Stage.GATE, verdict=Verdict.REFUSE, reasons=("truncated",)
    )
    with database.write() as session:
        add_records(session, [*turned, truncated])
    period = Period(now - timedelta(hours=1))
    with database.read() as session:
        counts = read_turned_away(session, period, top_reasons(session, period, 100))
    assert counts == (
        TurnedAwayCount(EvidenceKind.FLOOD, 300, 0, ()),
        TurnedAwayCount(EvidenceKind.SERVICE, 2, 2, ("overloaded",)),
    )
