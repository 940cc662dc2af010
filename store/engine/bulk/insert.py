"""Many rows of several tables at once, as fast as each database takes them."""

from collections.abc import Iterable

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from store.engine.bulk.postgresql_copy import copy_all
from store.engine.bulk.rows import Rows, Vectors


def insert_all(session: Session, parts: Iterable[Rows | Vectors]) -> None:
    """Append rows in the session's transaction: COPY on PostgreSQL, executemany on SQLite.

    Args:
        parts: in the order in which they are stored; made lazily, they are made while the server
            stores what came before.
    """
    connection = session.connection()
    full_parts = (part for part in parts if part.rows)
    if connection.dialect.name == "postgresql":
        copy_all(connection, full_parts)
        return
    for part in full_parts:
        _execute_many(connection, part)


def _execute_many(connection: Connection, part: Rows | Vectors) -> None:
    names = ", ".join(f'"{name}"' for name in part.columns)
    marks = ", ".join("?" * len(part.columns))
    statement = f"INSERT INTO {part.table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our names
    if isinstance(part, Vectors):
        # SQLite itself turns NaN into NULL.
        connection.exec_driver_sql(statement, [(key, *vector) for key, vector in part.rows])
    else:
        connection.exec_driver_sql(statement, list(part.rows))
