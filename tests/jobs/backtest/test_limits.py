"""What a back-test cannot know is said."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from detectors.evidence.kinds import EvidenceKind
from jobs.backtest.run import Wish, run_backtest
from jobs.backtest.tried_rules import BadTrial
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.counts.turned_away import add_turned_away
from store.engine.database import Database
from store.requests.record_store import add_record
from tests.jobs.backtest.past import START, go_through, make_settings
from tests.jobs.backtest.results import ATTACKER, notes
from tests.makers import NOW, make_record


def test_without_records_it_says_so(database: Database, settings_of_past: JobSettings) -> None:
    result = go_through(database, settings_of_past)
    assert result.tallies.days == result.tallies.clients == {}
    assert notes(result) == "There is no record at all: nothing can be gone through."


def test_a_day_without_traffic_is_no_fault(
    database: Database, settings_of_past: JobSettings
) -> None:
    with database.write() as session:
        add_record(session, make_record(received_at=START - timedelta(days=3)))
    assert notes(go_through(database, settings_of_past)) == "No request was recorded in this time."


def test_it_says_what_it_cannot_know(database: Database, tmp_path: Path) -> None:
    given = make_settings(tmp_path)
    old = NOW - timedelta(days=5)
    with database.write() as session:
        add_record(session, make_record(received_at=old, reasons=("blocked",)))
        minute = int(old.timestamp()) // 60 * 60
        add_turned_away(session, {(EvidenceKind.FLOOD, ATTACKER, minute): 40})
        add_turned_away(session, {(EvidenceKind.NO_ENTRY, ATTACKER, minute): 6})
    context = JobContext(database, given, NOW)
    result = run_backtest(context, Wish(), NOW - timedelta(days=7), NOW)
    assert "The oldest record was stored at 2026-02-25 12:00 UTC" in notes(result)
    assert "40 requests too many of these days were only counted" in notes(result)
    assert "7 requests of these days were refused because of a block" in notes(result)


@pytest.mark.parametrize(
    ("since", "until", "sentence"),
    [
        (NOW + timedelta(hours=1), NOW + timedelta(hours=2), "is still to come"),
        (NOW - timedelta(hours=1), NOW - timedelta(hours=2), "Nothing lies between"),
        (NOW - timedelta(days=400), NOW, "At most a year"),
    ],
)
def test_a_time_that_is_none_is_one_sentence(
    database: Database, settings_of_past: JobSettings, since: Any, until: Any, sentence: str
) -> None:
    context = JobContext(database, settings_of_past, NOW)
    with pytest.raises(BadTrial, match=sentence):
        run_backtest(context, Wish(), since, until)
