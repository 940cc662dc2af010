"""How a database carries out the reads of the dashboard: their statements and plans."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from store.engine.database import Database
from store.pages.queries import DashboardQuery

LARGE_TABLES = (
    *("requests", "request_features", "request_reasons", "findings", "evidence", "scores"),
    *("roll_ups", "clients", "job_runs"),
)
"""Tables that no page may read from end to end."""

_WHOLE_TABLE = re.compile(rf"(SCAN|Seq Scan on) ({'|'.join(LARGE_TABLES)})\b")
_DAY = re.compile(r"_(\d{8}|rest)(?=[_ ]|$)")


@dataclass(frozen=True)
class StatementPlan:
    """One statement that a read makes, and the lines of its plan."""

    statement: str
    lines: tuple[str, ...]

    @property
    def whole_tables(self) -> tuple[str, ...]:
        """The lines that read a large table from end to end."""
        lines = (_DAY.sub("", line) for line in self.lines)
        return tuple(line for line in lines if _WHOLE_TABLE.search(line))


def plans_of(database: Database, query: DashboardQuery, now: datetime) -> list[StatementPlan]:
    """Make a read once and have each of its statements explained."""
    statements: list[tuple[str, Any]] = []
    listener = _listener(statements)
    with database.read() as session:
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", listener)
        query.run(session, now)
        event.remove(connection, "before_cursor_execute", listener)
        return [_explain(session, *statement) for statement in statements]


def _listener(statements: list[tuple[str, Any]]) -> Callable[..., None]:
    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    return listen


def _explain(session: Session, statement: str, parameters: Any) -> StatementPlan:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        return StatementPlan(statement, _as_tree([(row[0], row[1], row[3]) for row in rows]))
    rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", parameters).all()
    return StatementPlan(statement, tuple(row[0] for row in rows))


def _as_tree(rows: list[tuple[int, int, str]]) -> tuple[str, ...]:
    depth = {0: 0}
    for node, parent, _ in rows:
        depth[node] = depth.get(parent, 0) + 1
    return tuple("  " * (depth[node] - 1) + detail for node, _, detail in rows)
