"""The job that forgets fingerprints."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from jobs.context import JobContext
from jobs.keeping import expire_fingerprints
from store.pages.audit_views import AuditFilter, audit_entries
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Trace
from store.tables.request_tables import FingerprintRow
from tests.jobs.conftest import Traffic


def test_it_forgets_what_is_older_than_the_window(
    context: JobContext, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expire_fingerprints, "_BATCH", 2)
    [usual] = traffic.clean("ip:192.0.2.1", 1)
    with context.database.write() as session:
        for hours in (1, 23, 25, 26, 27):
            add_record(session, _traced(usual, context, hours))
    outcome = expire_fingerprints.run(context)
    assert (outcome.sentence, outcome.rows) == ("3 fingerprints forgotten.", 3)
    with context.database.read() as session:
        assert session.scalar(select(func.count()).select_from(FingerprintRow)) == 2
    assert expire_fingerprints.run(context).rows == 0
    told = list(audit_entries(context.database, AuditFilter(action="retention_pruned")))
    assert [(entry.actor, entry.subject) for entry in told] == [
        ("job:expire_fingerprints", "fingerprints")
    ] * 2
    assert [(entry.details["so_far"], entry.details["last"]) for entry in told] == [
        (2, False),
        (3, True),
    ]


def _traced(usual: RequestRecord, context: JobContext, hours: int) -> RequestRecord:
    at = context.now - timedelta(hours=hours)
    return replace(
        usual, request_id=f"{hours}", received_at=at, trace=Trace(b"data", (hours,), "family")
    )
