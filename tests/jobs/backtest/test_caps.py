"""What the caps would have left to a person."""

from datetime import timedelta
from pathlib import Path

from jobs.backtest.tallies import Count
from jobs.context import JobContext
from store.decisions.decisions import BY_ANALYST, add_decision
from store.decisions.scopes import Scope
from store.engine.database import Database
from store.requests.record_store import add_record
from tests.jobs.backtest.past import START, go_through, let_pass, make_settings
from tests.jobs.backtest.results import ATTACKER, HONEST, SEARCH, count, write_policy
from tests.makers import NOW, make_decision, make_record


def test_caps_leave_blocks_to_a_person(attack: JobContext, tmp_path: Path) -> None:
    wish = write_policy(tmp_path, "[blocking]\ncap_min_clients = 0\ncap_client_share = 0.0\n")
    result = go_through(attack.database, attack.settings, wish)
    assert count(result, Count.BLOCKS) == (1, 0, 0, 1)
    assert count(result, Count.PROPOSALS) == (0, 1, 1, 0)
    [(client, block)] = result.first_blocks.items()
    assert (client, block.is_proposed) == (ATTACKER, True)


def test_what_jobs_blocked_within_a_day_counts_towards_the_caps(
    database: Database, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, cap_min_clients=3)
    before = START - timedelta(hours=2)
    with database.write() as session:
        for client in ("ip:192.0.2.1", "ip:192.0.2.2"):
            add_record(session, make_record(client=client, received_at=before))
        network = make_decision(scope=Scope.NETWORK, value="192.0.2.0/24", until=NOW)
        add_decision(session, network, before)
        ended = make_decision(value=HONEST, until=START - timedelta(hours=1))
        add_decision(session, ended, before)
    let_pass(JobContext(database, settings, NOW), SEARCH, NOW)
    result = go_through(database, settings)
    assert count(result, Count.BLOCKS) == (0, 0, 0, 0)
    assert count(result, Count.PROPOSALS) == (1, 1, 0, 0)


def test_what_lies_in_a_network_that_a_person_blocks_counts_towards_no_cap(
    database: Database, tmp_path: Path
) -> None:
    settings = make_settings(tmp_path, cap_min_clients=1)
    with database.write() as session:
        add_decision(session, make_decision(value=HONEST, until=NOW), START - timedelta(hours=2))
        by_hand = make_decision(
            scope=Scope.NETWORK, value="203.0.113.0/24", origin=BY_ANALYST, until=NOW
        )
        add_decision(session, by_hand, START - timedelta(hours=1))
    let_pass(JobContext(database, settings, NOW), SEARCH, NOW)
    result = go_through(database, settings)
    assert count(result, Count.BLOCKS) == (1, 1, 0, 0)
    assert count(result, Count.PROPOSALS) == (0, 0, 0, 0)
