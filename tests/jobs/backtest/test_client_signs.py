"""A client's signs in a back-test, beside what the store says of the same requests."""

from collections import deque
from datetime import datetime, timedelta

import pytest

from detectors.evidence.kinds import EvidenceKind
from detectors.verdict import Verdict
from jobs.backtest.client_signs import ClientSigns
from store.decisions.clients.client_evidence import Sign, read_evidence
from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from tests.makers import make_record

CLIENT = "ip:203.0.113.7"
MISTAKE, DAMAGED = "unsupported_type", "unreadable"
MOST = 20


def sent(now: datetime, minutes_ago: int, code: str) -> RequestRecord:
    return make_record(
        client=CLIENT,
        received_at=now - timedelta(minutes=minutes_ago),
        stage=Stage.GATE,
        verdict=Verdict.REFUSE,
        reasons=(code,),
    )


@pytest.mark.parametrize("damaged", [MOST - 1, MOST, MOST + 5])
def test_mistakes_from_before_the_signs_that_are_held_count_no_more_than_in_the_store(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch, damaged: int
) -> None:
    monkeypatch.setattr("store.decisions.clients.client_evidence.MAX_ROWS", MOST)
    monkeypatch.setattr("jobs.backtest.client_signs.MAX_ROWS", MOST)
    records = [sent(now, 50, MISTAKE)]
    records += [sent(now, 40 - number, DAMAGED) for number in range(damaged)]
    with database.write() as session:
        add_records(session, records)
    signs = ClientSigns(deque(maxlen=MOST), {MISTAKE: records[0].received_at})
    for record in records[1:]:
        sign = Sign(record.request_id, record.request_id, DAMAGED)
        signs.signs.append((record.received_at, sign))
    since = now - timedelta(hours=1)
    with database.read() as session:
        stored = read_evidence(session, CLIENT, since)
    assert signs.sum_up(CLIENT, since, stored.uploads) == stored
    assert stored.counts[EvidenceKind.DAMAGED] == (damaged + 1 if damaged < MOST else MOST)
