"""Floods are gone through by the minute, also behind a simulated block."""

from datetime import timedelta
from pathlib import Path

from detectors.evidence.kinds import EvidenceKind
from jobs.backtest.tallies import Count
from jobs.context import JobContext
from store.counts.turned_away import add_turned_away
from store.engine.database import Database
from tests.jobs.backtest.past import START, go_through, let_pass, make_settings
from tests.jobs.backtest.results import ATTACKER, SEARCH, count, write_policy
from tests.makers import NOW


def test_a_flood_behind_a_simulated_block_is_evidence(database: Database, tmp_path: Path) -> None:
    watching = make_settings(tmp_path, simulate_blocks=True)
    let_pass(JobContext(database, watching, NOW), SEARCH, NOW)
    minute = int((START + timedelta(minutes=10)).timestamp()) // 60 * 60
    with database.write() as session:
        add_turned_away(session, {(EvidenceKind.FLOOD, ATTACKER, minute): 400})
    result = go_through(database, watching, write_policy(tmp_path, "[scenarios]\nflood = true\n"))
    assert count(result, Count.BLOCKS) == (1, 2, 1, 0)


def test_floods_are_gone_through_by_the_minute(database: Database, tmp_path: Path) -> None:
    given = make_settings(tmp_path)
    minute = int((START + timedelta(minutes=10)).timestamp()) // 60 * 60
    with database.write() as session:
        add_turned_away(session, {(EvidenceKind.FLOOD, ATTACKER, minute): 400})
    result = go_through(database, given)
    assert count(result, Count.BLOCKS) == (0, 1, 1, 0)
    assert result.first_blocks[ATTACKER].scenario == "flood"
