"""Nothing is changed by asking, and no read goes through a whole table."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.store.query_plans import plans_of
from detectors.evidence.kinds import EvidenceKind
from jobs.backtest.run import Wish
from jobs.backtest.tallies import Count
from jobs.context import JobContext
from store.alerts.past_alerts import alerts_of, alerts_open_at
from store.decisions.past import past_clients, past_decisions
from store.decisions.scopes import Scope
from store.engine.database import Database
from store.models.scans import whole_scans
from store.pages.queries import DashboardQuery
from store.requests.past_requests import find_oldest, find_rows_before, past_requests, past_rows
from store.requests.request_keys import key_of
from store.tables.all_tables import METADATA
from tests.jobs.backtest.past import START, go_through
from tests.jobs.backtest.results import ATTACKER, count, write_policy
from tests.jobs.nursery import Nursery
from tests.makers import NOW
from tests.query_plans import price_whole_tables


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


def test_one_that_is_killed_in_the_middle_leaves_nothing(
    attack: JobContext, tmp_path: Path, nursery: Nursery
) -> None:
    before = read_all(attack.database, tmp_path)
    nursery.kill_at("jobs.backtest.backtest:past_requests", "play_back", attack, calls=3)
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
