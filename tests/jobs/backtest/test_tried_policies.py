"""What another policy, weight or limit would have blocked and flagged, over both databases."""

from datetime import timedelta
from pathlib import Path

from detectors.registry import FeatureVector
from jobs.backtest.run import Wish
from jobs.backtest.tallies import Count, Side
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.requests.record_store import add_record
from tests.jobs.backtest.past import START, Arrival, go_through, let_pass, make_settings
from tests.jobs.backtest.results import ATTACKER, HONEST, SEARCH, count, notes, write_policy
from tests.makers import NOW, make_record


def test_a_policy_that_asks_for_more_blocks_nobody(attack: JobContext, tmp_path: Path) -> None:
    wish = write_policy(tmp_path, "[blocking]\nblock_after = 100\n")
    result = go_through(attack.database, attack.settings, wish)
    assert count(result, Count.BLOCKS) == (1, 0, 0, 1)
    assert count(result, Count.MAILS) == (1, 0, 0, 1)
    assert result.tallies.clients[ATTACKER][Count.BLOCKS, Side.GONE] == 1
    assert HONEST not in result.tallies.clients
    assert "not all of the difference" not in notes(result)


def test_weights_that_are_tried_count(attack: JobContext, tmp_path: Path) -> None:
    wish = write_policy(tmp_path, "[weights]\nprobing = 0.01\n")
    result = go_through(attack.database, attack.settings, wish)
    assert count(result, Count.BLOCKS) == (1, 0, 0, 1)


def test_what_a_block_would_have_refused_is_counted(
    database: Database, settings_of_past: JobSettings, tmp_path: Path
) -> None:
    watching = make_settings(tmp_path, simulate_blocks=True)
    context = JobContext(database, watching, NOW)
    after = [Arrival(1_000 + 20 * n, ATTACKER, "probing_sequence") for n in range(5)]
    let_pass(context, [*SEARCH, *after], NOW)
    watched = go_through(database, watching)
    assert watched.tallies.total[Count.REFUSED, Side.WOULD] == 0
    assert watched.tallies.total[Count.WATCHED, Side.WOULD] > 0
    wish = write_policy(tmp_path, "[blocking]\nsimulate_blocks = false\n")
    enforced = go_through(database, watching, wish)
    assert enforced.tallies.total[Count.REFUSED, Side.WOULD] > 0
    assert enforced.tallies.total[Count.WATCHED, Side.WOULD] == 0


def test_a_rule_with_another_limit_flags_and_blocks(
    database: Database, settings_of_past: JobSettings
) -> None:
    with database.write() as session:
        for number in range(8):
            add_record(
                session,
                make_record(
                    client=ATTACKER,
                    received_at=START + timedelta(seconds=61 + number),
                    features=FeatureVector.of({"probing_score": 8.0}),
                ),
            )
        add_record(session, make_record(client=HONEST, received_at=START + timedelta(minutes=7)))
    result = go_through(database, settings_of_past, Wish(rules=["probing_sequence=5"]))
    assert count(result, Count.FLAGGED) == (0, 8, 8, 0)
    assert count(result, Count.BLOCKS) == (0, 1, 1, 0)
    assert count(result, Count.MAILS) == (0, 1, 1, 0)
    assert "probing_score, which was measured on 8 of the 9 parsed requests" in notes(result)
    unchanged = go_through(database, settings_of_past, Wish(rules=["probing_sequence=12"]))
    assert count(unchanged, Count.FLAGGED) == count(unchanged, Count.BLOCKS) == (0, 0, 0, 0)
    unmeasured = go_through(database, settings_of_past, Wish(rules=["trigger_suspected=0.1"]))
    assert "trigger_score, which was measured on none of the 9 parsed requests" in notes(unmeasured)
    assert "skin_share_too_low" in notes(unmeasured)
