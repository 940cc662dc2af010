"""The reads of the dashboard: all in one list, none of a whole table, none with OFFSET."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.store.query_plans import plans_of
from detectors.verdict import Verdict
from store.counts.roll_ups import roll_up
from store.engine.database import Database
from store.pages.queries import DASHBOARD_QUERIES, DashboardQuery
from tests.query_plans import price_whole_tables

Add = Callable[..., int]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def some_records(
    database: Database, add: Add, score: Callable[[int, bool], None], now: datetime
) -> None:
    for minutes in (100, 10, 1):
        at = now - timedelta(minutes=minutes)
        score(add(received_at=at, verdict=Verdict.FLAG, reasons=("blank",)), True)
        add(received_at=at)
    with database.write() as session:
        roll_up(session, now, 3)


def test_no_read_goes_through_a_whole_table(
    database: Database, some_records: None, now: datetime
) -> None:
    price_whole_tables(database)
    found = {
        (query.name, line)
        for query in DASHBOARD_QUERIES
        for plan in plans_of(database, query, now)
        for line in plan.whole_tables
    }
    assert found == set()


def test_every_read_makes_statements_and_says_what_bounds_it(
    database: Database, some_records: None, now: datetime
) -> None:
    names = [query.name for query in DASHBOARD_QUERIES]
    assert len(set(names)) == len(names)
    for query in DASHBOARD_QUERIES:
        assert query.bounded_by
        assert plans_of(database, query, now), query.name


def test_a_read_of_a_whole_table_would_be_found(database: Database, now: datetime) -> None:
    whole = DashboardQuery(
        "all", lambda session, _: session.execute(text("SELECT route FROM requests")).all(), ""
    )
    [plan] = plans_of(database, whole, now)
    assert plan.whole_tables


def test_no_page_is_reached_by_counting_rows() -> None:
    sources = [
        path
        for folder in ("store", "dashboard", "jobs", "inference")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(sources) > 50
    counting = re.compile(r"\.offset\(|\bOFFSET\s+[0-9:%?{]")
    assert [path.name for path in sources if counting.search(path.read_text())] == []


def test_every_read_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")
    assert [query.name for query in DASHBOARD_QUERIES if f"| {query.name} |" not in page] == []
