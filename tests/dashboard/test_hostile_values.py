"""What anybody stored is shown as text: on no page does it become a tag, a link or a picture."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
import streamlit as st
from sqlalchemy import String

from dashboard.wiring import Parts
from detectors.verdict import Verdict
from jobs.context import JobContext
from jobs.outliers import group_families
from jobs.settings import JobSettings
from store.requests.record_store import add_records
from store.tables.all_tables import METADATA
from tests.dashboard.conftest import Day
from tests.dashboard.opened import Signed, html_of, open_page
from tests.makers import make_record

_TAG, _LINK = "<img src=x onerror=alert(1)>", "](//b.example)"
# No longer than the narrowest column that holds names.
_HOSTILE = f"{_TAG}'\"&[a{_LINK}"
# Codes, hashes and states, of which pages know all there are; the rest is what people, clients,
# jobs and services choose.
_CODES = {
    *("fingerprint", "rule", "severity", "state", "atlas", "owasp", "action", "previous_hash"),
    *("own_hash", "at", "key_sha256", "sha256", "token_sha256", "content_sha256", "digest"),
    *("kind", "scope", "scenario", "origin", "family", "model_digest", "source", "feedback"),
    *("job", "outcome", "token", "request_id", "route", "stage", "verdict", "sample_family"),
    *("dimension", "event", "transport", "answer", "phase", "calibrated_on", "text"),
}
_NAMES_OF_OURS = {("change_marks", "name"), ("leases", "name"), ("sequences", "name")}
_NAMES_OF_OURS |= {
    ("scenarios", "name"),
    ("login_tokens", "subject"),
    ("request_reasons", "reason"),
}


def _group(parts: Parts) -> None:
    """A family of three requests, which the day has none of."""
    now = parts.clock()
    records = [
        make_record(
            client="ip:203.0.113.7",
            received_at=now - timedelta(minutes=minutes),
            verdict=Verdict.FLAG,
            reasons=("adversarial_picture",),
        )
        for minutes in range(3)
    ]
    with parts.database.write() as session:
        add_records(session, records)
    settings = JobSettings(var_dir=parts.settings.store.var_dir)
    group_families.run(JobContext(parts.database, settings, now))


def _plant(day: Day) -> int:
    """Put the text into every column that holds words, past all that would refuse it."""
    file = day.parts.settings.store.var_dir / "maskwatch.db"
    planted = 0
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        for table in METADATA.sorted_tables:
            for column in table.columns:
                is_chosen = isinstance(column.type, String) and column.name not in _CODES
                if is_chosen and (table.name, column.name) not in _NAMES_OF_OURS:
                    planted += connection.execute(
                        f'UPDATE "{table.name}" SET "{column.name}" = ? || "{column.name}" '  # noqa: S608
                        f'WHERE "{column.name}" IS NOT NULL',
                        (_HOSTILE,),
                    ).rowcount
    return planted


@pytest.mark.parametrize(
    "page", ["overview", "alerts", "families", "traffic", "request", "blacklist", "audit"]
)
def test_no_stored_value_becomes_markup(day: Day, signed_in: Signed, page: str) -> None:
    _group(day.parts)
    assert _plant(day) > 500
    signed_in(day.parts)
    st.cache_data.clear()
    queries: dict[str, dict[str, str]] = {
        "alerts": {"alert": str(day.sample.alert_id)},
        "families": {"id": "1"},
        "request": {"id": day.sample.flagged},
        "blacklist": {"decision": str(day.sample.decision_id)},
    }
    at = open_page(page, **queries.get(page, {}))
    html = html_of(at)
    assert _TAG not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    shown = [*at.warning, *at.error, *at.info, *at.success, *at.markdown, *at.caption, *at.button]
    for element in shown:
        text = str(getattr(element, "value", "")) + str(getattr(element, "label", ""))
        assert _LINK not in text
        assert _TAG not in text
