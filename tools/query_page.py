"""``docs/queries.md``: the dashboard's reads with their plans on databases that are given.

``python -m tools.query_page sqlite:///FILE postgresql+psycopg://…``: both with this version's
tables, and best with as many records as a service has. They are only read.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from bench.store.query_plans import plans_of, shortened
from store.engine.database import Database
from store.pages.queries import DASHBOARD_QUERIES, DashboardQuery
from store.settings import StoreSettings

PAGE = Path(__file__).parents[1] / "docs" / "queries.md"
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_HEAD = """<!-- Made by `python -m tools.query_page URL URL`. -->

# Queries of the dashboard

Every read that a page of the dashboard makes, what bounds it, and how each database carries it out.
The list is `DASHBOARD_QUERIES` in `store/pages/queries.py`; its tests see to it that no read goes
through a whole table. A PostgreSQL plan has one branch for each day: what is the same for all is
shown once, and the branches of days without records may say `Seq Scan`.
"""


def query_page(databases: Sequence[Database], now: datetime) -> str:
    """The page, from the plans that these databases choose."""
    parts = []
    for query in DASHBOARD_QUERIES:
        parts += ["", f"## {query.name}", "", f"Bounded by: {query.bounded_by}."]
        for database in databases:
            parts += ["", f"{_NAMES[database.dialect]}:", "", "```text"]
            parts += [*_plans(database, query, now), "```"]
    return "\n".join([_HEAD.rstrip(), *parts, ""])


def _plans(database: Database, query: DashboardQuery, now: datetime) -> Iterator[str]:
    """The plans of its statements, apart by empty lines; the same plan once."""
    plans = [shortened(plan.lines) for plan in plans_of(database, query, now)]
    for number, lines in enumerate(dict.fromkeys(plans)):
        yield from ("", *lines) if number else lines


def _opened(urls: Iterable[str]) -> list[Database]:
    return [Database.open(StoreSettings(database_url=SecretStr(url))) for url in urls]


def main(urls: Sequence[str]) -> None:
    """Write the page."""
    databases = _opened(urls)
    PAGE.write_text(query_page(databases, datetime.now(UTC)), encoding="utf-8")
    for database in databases:
        database.close()


if __name__ == "__main__":
    main(sys.argv[1:])
