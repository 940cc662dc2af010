"""What a change would have done, over both databases; and that nothing is changed by asking."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.store.query_plans import plans_of
from detectors.evidence_kinds import EvidenceKind
from detectors.outliers.base import ModelChanged
from detectors.registry import FeatureVector
from jobs.backtest.backtest import Result
from jobs.backtest.run import Wish, run_backtest
from jobs.backtest.tallies import Count, Side
from jobs.backtest.tried_rules import BadTrial
from jobs.context import JobContext
from jobs.outliers.retrain import run as retrain
from jobs.outliers.scan import run as scan
from jobs.settings import JobSettings
from store.alerts.past_alerts import alerts_of, alerts_open_at
from store.counts.turned_away import add_turned_away
from store.decisions.decisions import BY_ANALYST, Scope, add_decision
from store.decisions.past import past_clients, past_decisions
from store.engine.database import Database
from store.models.outlier_models import NoOutlierModel, champion
from store.models.scans import whole_scans
from store.pages.queries import DashboardQuery
from store.requests.past_requests import (
    find_oldest,
    find_rows_before,
    past_requests,
    past_rows,
)
from store.requests.record_store import add_record
from store.requests.request_keys import key_of
from store.settings import StoreSettings
from store.tables.all_tables import METADATA
from tests.jobs.backtest.past import START, Arrival, go_through, let_pass, make_settings
from tests.makers import NOW, make_decision, make_record
from tests.query_plans import price_whole_tables

ATTACKER, HONEST = "ip:198.51.100.7", "ip:203.0.113.9"
SEARCH = [Arrival(61 + 20 * number, ATTACKER, "probing_sequence") for number in range(8)]


def count(result: Result, what: Count) -> tuple[int, ...]:
    """Was, would, new and gone."""
    return tuple(result.tallies.total[what, side] for side in Side)


def notes(result: Result) -> str:
    return "\n".join(result.facts.list_sentences(result.stretch))


@pytest.fixture
def settings_of_past(tmp_path: Path) -> JobSettings:
    return make_settings(tmp_path)


@pytest.fixture
def attack(database: Database, settings_of_past: JobSettings) -> JobContext:
    """A search that was blocked, and ordinary requests."""
    ordinary = [Arrival(62 + 60 * number, HONEST) for number in range(100)]
    context = JobContext(database, settings_of_past, NOW)
    let_pass(context, [*SEARCH, *ordinary], NOW)
    return context


def write_policy(folder: Path, toml: str) -> Wish:
    file = folder / "policy.toml"
    file.write_text(toml)
    return Wish(policy=file)


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


def test_a_flood_behind_a_simulated_block_is_evidence(database: Database, tmp_path: Path) -> None:
    watching = make_settings(tmp_path, simulate_blocks=True)
    let_pass(JobContext(database, watching, NOW), SEARCH, NOW)
    minute = int((START + timedelta(minutes=10)).timestamp()) // 60 * 60
    with database.write() as session:
        add_turned_away(session, {(EvidenceKind.FLOOD, ATTACKER, minute): 400})
    result = go_through(database, watching, write_policy(tmp_path, "[scenarios]\nflood = true\n"))
    assert count(result, Count.BLOCKS) == (1, 2, 1, 0)


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


@pytest.mark.usefixtures("few_trees")
def test_the_champion_finds_the_outliers_that_it_found(context: JobContext, traffic: Any) -> None:
    traffic.clean("ip:203.0.113.1", 60, minutes_ago=170)
    retrain(context)
    digest = promoted(context)
    traffic.clean("ip:203.0.113.2", 40, minutes_ago=160)
    scan(context)
    traffic.wild(ATTACKER, 3, minutes_ago=90)
    traffic.clean("ip:203.0.113.2", 30, minutes_ago=80)
    scan(context)
    traffic.wild(ATTACKER, 2, minutes_ago=10)
    scan(context)
    wish, since = Wish(model=digest[:8]), context.now - timedelta(minutes=165)
    result = run_backtest(context, wish, since, context.now)
    was, would, new, gone = count(result, Count.OUTLIERS)
    assert (was, new, gone) == (would, 0, 0)
    assert was >= 5
    assert "too few vetted requests to promise" in notes(result)
    part = run_backtest(context, wish, context.now - timedelta(minutes=30), context.now)
    assert count(part, Count.OUTLIERS) == (2, 2, 0, 0)


@pytest.mark.usefixtures("few_trees")
def test_a_model_that_is_not_there_or_was_changed_is_one_sentence(
    context: JobContext, traffic: Any
) -> None:
    since = context.now - timedelta(hours=3)
    with pytest.raises(NoOutlierModel, match="There is no outlier model 'abcdef'"):
        run_backtest(context, Wish(model="abcdef"), since, context.now)
    traffic.clean("ip:203.0.113.1", 60)
    retrain(context)
    digest = promoted(context)
    [archive] = (context.settings.store.var_dir / "models").rglob(f"{digest}*.safetensors")
    archive.chmod(0o600)
    archive.write_bytes(archive.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelChanged, match="was changed on disk"):
        run_backtest(context, Wish(model=digest[:8]), since, context.now)


def promoted(context: JobContext) -> str:
    with context.database.read() as session:
        row = champion(session)
    assert row is not None
    return row.digest


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


def test_floods_are_gone_through_by_the_minute(database: Database, tmp_path: Path) -> None:
    given = make_settings(tmp_path)
    minute = int((START + timedelta(minutes=10)).timestamp()) // 60 * 60
    with database.write() as session:
        add_turned_away(session, {(EvidenceKind.FLOOD, ATTACKER, minute): 400})
    result = go_through(database, given)
    assert count(result, Count.BLOCKS) == (0, 1, 1, 0)
    assert result.first_blocks[ATTACKER].scenario == "flood"


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


def read_all(database: Database, folder: Path) -> dict[str, Any]:
    """How many rows every table has, and a hash of every file but what SQLite shares memory by."""
    with database.read() as session:
        rows: dict[str, Any] = {
            name: session.scalar(select(func.count()).select_from(table))
            for name, table in METADATA.tables.items()
        }
    files = [each for each in folder.rglob("*") if each.is_file() and each.suffix != ".db-shm"]
    return rows | {
        str(each): sha256(each.read_bytes()).hexdigest()
        for each in files
        if not each.name.endswith("-shm")
    }


def test_nothing_is_written(attack: JobContext, tmp_path: Path) -> None:
    wish = write_policy(tmp_path, "[blocking]\nblock_after = 2\n")
    before = read_all(attack.database, tmp_path)
    go_through(attack.database, attack.settings, wish)
    go_through(attack.database, attack.settings, Wish(rules=["probing_sequence=5"]))
    assert read_all(attack.database, tmp_path) == before


_KILLED = """
import os, signal, sys
from datetime import datetime
from jobs.backtest import backtest
from jobs.backtest.run import Wish, run_backtest
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.engine.database import Database
from store.settings import load_settings

calls = []
proceed = backtest.past_requests

def die(*parts):
    calls.append(parts)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return proceed(*parts)

backtest.past_requests = die
backtest._CHUNK = 10
settings, now = load_settings(JobSettings), datetime.fromisoformat(sys.argv[2])
context = JobContext(Database.open(settings), settings, now)
run_backtest(context, Wish(), datetime.fromisoformat(sys.argv[1]), now)
"""


def test_one_that_is_killed_in_the_middle_leaves_nothing(
    attack: JobContext, store_settings: StoreSettings, tmp_path: Path
) -> None:
    before = read_all(attack.database, tmp_path)
    store = store_settings.store
    environment = os.environ | {"MASKWATCH_VAR_DIR": str(tmp_path)}
    if store.database_url is not None:
        environment["MASKWATCH_DATABASE_URL"] = store.effective_database_url()
    words = [sys.executable, "-c", _KILLED, START.isoformat(), NOW.isoformat()]
    assert subprocess.run(words, env=environment, check=False).returncode == -SIGKILL
    assert read_all(attack.database, tmp_path) == before
    assert count(go_through(attack.database, attack.settings), Count.BLOCKS) == (1, 1, 0, 0)


_NAMES = ("probing_score", "trigger_score")
READS: dict[str, Callable[[Session], object]] = {
    "requests": lambda s: past_requests(s, key_of(START), key_of(NOW), _NAMES, 10),
    "rows": lambda s: past_rows(s, key_of(START), key_of(NOW), _NAMES, 10),
    "rows before": lambda s: find_rows_before(s, key_of(NOW), 10),
    "oldest": find_oldest,
    "scans": lambda s: whole_scans(s, key_of(START), key_of(NOW)),
    "uploads": lambda s: past_clients.count_uploads(s, ATTACKER, START, NOW),
    "uploads of a network": lambda s: past_clients.count_uploads(s, "ip:2001:db8::7", START, NOW),
    "day": lambda s: past_clients.read_day_before(s, NOW),
    "hit": lambda s: past_clients.read_hit_before(s, ATTACKER, NOW),
    "hit of a network": lambda s: past_clients.read_hit_before(s, "192.0.2.0/24", NOW),
    "floods": lambda s: past_clients.read_floods(s, START, NOW),
    "turned away": lambda s: past_clients.count_turned_away_between(
        s, EvidenceKind.FLOOD, START, NOW
    ),
    "decisions": lambda s: past_decisions.decisions_about_client(s, ATTACKER, NOW),
    "pictures": lambda s: past_decisions.decisions_about_value(s, (Scope.CONTENT,), "ab", NOW),
    "alerts": lambda s: alerts_of(s, ("attacking_client",), START, NOW),
    "open alerts": lambda s: alerts_open_at(s, ("attacking_client",), START),
}


def test_no_read_goes_through_a_whole_table(attack: JobContext) -> None:
    database = attack.database
    price_whole_tables(database)
    whole = {
        (name, line)
        for name, read in READS.items()
        for plan in plans_of(database, DashboardQuery(name, lambda s, _: read(s), ""), NOW)  # noqa: B023
        for line in plan.whole_tables
    }
    assert whole == set()
