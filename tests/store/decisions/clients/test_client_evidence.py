from datetime import datetime, timedelta

import pytest

from detectors.evidence.kinds import EvidenceKind
from detectors.registry import FeatureVector
from detectors.verdict import Verdict
from store.counts.turned_away import add_turned_away
from store.decisions.clients.client_evidence import ClientEvidence, read_evidence
from store.decisions.clients.suspects import find_suspects
from store.engine.database import Database
from store.requests.record_store import add_records
from store.requests.records import RequestRecord, Stage
from tests.makers import make_record

CRAFTER, PHONE = "ip:198.51.100.9", "ip:203.0.113.8"
HOUR = timedelta(hours=1)


def flagged(now: datetime, number: int, *reasons: str, client: str = CRAFTER) -> RequestRecord:
    return make_record(
        request_id=f"00000000-0000-4000-8000-{number:012}",
        received_at=now,
        client=client,
        verdict=Verdict.FLAG,
        reasons=reasons,
        content_sha256=f"{number:064}",
    )


def fill(database: Database, now: datetime) -> None:
    crafted = [flagged(now, n, "adversarial_picture", "headless_body") for n in range(5)]
    again = make_record(
        received_at=now,
        client=CRAFTER,
        reasons=("outlier_traffic",),
        content_sha256=f"{1:064}",
    )
    passed = make_record(received_at=now, client=CRAFTER, features=FeatureVector.of({}))
    old = flagged(now - 2 * HOUR, 9, "probing_sequence")
    phone = [
        make_record(
            received_at=now,
            client=PHONE,
            stage=Stage.GATE,
            verdict=Verdict.REFUSE,
            reasons=("unsupported_type",),
        )
        for _ in range(30)
    ]
    with database.write() as session:
        add_records(session, [old, *crafted, again, passed, *phone])


def test_evidence_is_counted_by_kind_and_different_upload(
    database: Database, now: datetime
) -> None:
    fill(database, now)
    with database.read() as session:
        found = read_evidence(session, CRAFTER, now - HOUR)
    assert (found.client, found.uploads) == (CRAFTER, 6)
    assert found.counts == {EvidenceKind.CRAFTED: 5}
    assert found.request_ids[1] == "00000000-0000-4000-8000-000000000004"


def test_suspects_are_those_whose_evidence_weighs_enough(database: Database, now: datetime) -> None:
    fill(database, now)
    with database.read() as session:
        [suspect] = find_suspects(session, now - HOUR, 3, {})
        assert find_suspects(session, now - HOUR, 6, {}) == []
        assert find_suspects(session, now, 3, {}) == []
    assert suspect.evidence.client == CRAFTER
    assert suspect.sum.weight == 5


def test_who_sends_most_does_not_dilute_its_own_evidence(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.decisions.clients.client_evidence.MAX_ROWS", 20)
    crafted = [flagged(now, n, "trigger_suspected", "adversarial_picture") for n in range(90)]
    with database.write() as session:
        add_records(session, crafted)
    with database.read() as session:
        [suspect] = find_suspects(session, now - HOUR, 3, {})
    # Of 90 uploads ten are looked at: they are ten of ten.
    assert suspect.evidence.uploads == suspect.evidence.counts[EvidenceKind.TRIGGER] == 10


def test_a_flood_without_records_makes_a_suspect(database: Database, now: datetime) -> None:
    minute = int(now.timestamp()) // 60 * 60
    with database.write() as session:
        add_turned_away(session, {(EvidenceKind.FLOOD, CRAFTER, minute): 300})
        add_turned_away(session, {(EvidenceKind.SERVICE, PHONE, minute): 900})
    with database.read() as session:
        [suspect] = find_suspects(session, now - HOUR, 3, {})
    assert suspect.evidence == ClientEvidence(CRAFTER, 0, {EvidenceKind.FLOOD: 300})
