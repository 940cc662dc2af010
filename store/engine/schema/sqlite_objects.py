"""What a SQLite file consists of besides rows: its tables, indexes, triggers and views."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
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
_IS_COMPUTED = "SELECT count(*) FROM pragma_index_xinfo(?) WHERE cid = -2"
# What a table does by itself; rows may go by `ON CONFLICT REPLACE` without any trigger.
_ACTING = re.compile(r"\b(?:CHECK|COLLATE|CONFLICT|GENERATED|ROWID|STRICT)\b")

_OF_TABLE = (
    'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)',
    'SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?)',
    # Without their names, which SQLite gives by the order in which it comes upon them.
    "SELECT (SELECT group_concat(name) FROM pragma_index_info(i.name)) "
    "FROM pragma_index_list(?) i WHERE i.origin = 'u'",
)


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
    for kind, name, sql in connection.execute(_ALL).fetchall():
        if kind == "table" and not sql.upper().startswith("CREATE VIRTUAL"):
            yield f"table {name}", _table(connection, name, sql)
        else:
            kind_of_index = f"{_index_kind(connection, name, sql)}index"
            yield f"{kind_of_index if kind == 'index' else kind} {name}", " ".join(sql.split())


def _index_kind(connection: sqlite3.Connection, name: str, sql: str) -> str:
    """What an index does by itself: it may refuse rows, or compute something of each."""
    if "UNIQUE" in sql.upper().split():
        return "unique "
    return "computed " if connection.execute(_IS_COMPUTED, (name,)).fetchone()[0] else ""


def _table(connection: sqlite3.Connection, name: str, sql: str) -> str:
    """What a table has. Of its text, which the SQLite that altered it has written, words count."""
    asked = (connection.execute(query, (name,)).fetchall() for query in _OF_TABLE)
    return repr([*(sorted(rows, key=repr) for rows in asked), sorted(_ACTING.findall(sql.upper()))])
