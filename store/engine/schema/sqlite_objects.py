"""What a SQLite file consists of besides rows: its tables, indexes, triggers and views."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from math import inf
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from store.engine.schema.alembic_config import alembic_config
from store.engine.sqlite_health import open_file

# Names that begin with `sqlite_` are SQLite's alone in statements, but not in a file that somebody
# wrote otherwise: by name only the tables are passed by that it makes itself.
_ALL = """
SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL
AND NOT (type = 'table' AND name IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4'))
"""
_COMPUTED = """
SELECT i.name FROM sqlite_schema i, pragma_index_xinfo(i.name) x WHERE i.type = 'index'
AND x.cid = -2
"""
# What a table does by itself; rows may go by `ON CONFLICT REPLACE` without any trigger.
_ACTING = re.compile(r"\b(?:CHECK|COLLATE|CONFLICT|GENERATED|ROWID|STRICT)\b")

# Each asks about all tables at once: one by one takes half as long again.
_OF_TABLES = tuple(
    f"SELECT t.name, {columns} FROM sqlite_schema t, {pragma}(t.name) x "  # noqa: S608 - from below
    f"WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%'{condition}"
    for columns, pragma, condition in (
        ('x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden', "pragma_table_xinfo", ""),
        ('x."table", x."from", x."to", x.on_update, x.on_delete', "pragma_foreign_key_list", ""),
        # Without their names, which SQLite gives by the order in which it comes upon them.
        (
            "(SELECT group_concat(name) FROM pragma_index_info(x.name))",
            "pragma_index_list",
            " AND x.origin = 'u'",
        ),
    )
)
Rows = Mapping[str, Sequence[tuple[object, ...]]]


def objects_of(file: Path) -> Mapping[str, str]:
    """Every object of a file by kind and name, with what it is in a form that can be compared.

    Raises:
        StoreUnavailable: the file cannot be read, or is damaged.
    """
    with open_file(file, inf) as connection:
        return dict(_objects(connection))


@cache
def objects_at(revision: str, folder: Path) -> Mapping[str, str]:
    """The same as migrations make them, up to a revision: they are run, in memory."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with closing(engine.raw_connection()) as raw, engine.begin() as connection:
        command.upgrade(alembic_config(folder, connection), revision)
        return dict(_objects(raw.driver_connection))  # type: ignore[arg-type]


def _objects(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    of_tables = [_by_name(connection.execute(query)) for query in _OF_TABLES]
    computed = {name for (name,) in connection.execute(_COMPUTED)}
    for kind, name, sql in connection.execute(_ALL).fetchall():
        if kind == "table" and not sql.upper().startswith("CREATE VIRTUAL"):
            yield f"table {name}", _table([rows.get(name, ()) for rows in of_tables], sql)
        else:
            does = _index_kind(sql, is_computed=name in computed) if kind == "index" else ""
            yield f"{does}{kind} {name}", " ".join(sql.split())


def _by_name(cursor: sqlite3.Cursor) -> Rows:
    """Rows by the table that they begin with."""
    rows: dict[str, list[tuple[object, ...]]] = {}
    for table, *row in cursor:
        rows.setdefault(table, []).append(tuple(row))
    return rows


def _index_kind(sql: str, *, is_computed: bool) -> str:
    """What an index does by itself: it may refuse rows, or compute something of each."""
    if "UNIQUE" in sql.upper().split():
        return "unique "
    return "computed " if is_computed else ""


def _table(of_table: Sequence[Sequence[tuple[object, ...]]], sql: str) -> str:
    """What a table has. Of its text, which the SQLite that altered it has written, words count."""
    has = (";".join(sorted(map(repr, rows))) for rows in of_table)
    return "\n".join([*has, *sorted(_ACTING.findall(sql.upper()))])
