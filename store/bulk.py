"""Many rows of one table at once, as fast as each database takes them."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table
from sqlalchemy.orm import Session

from store.postgresql_copy import Row, copy_rows, copy_vectors


def insert_rows(
    session: Session, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Append rows in the session's transaction: COPY on PostgreSQL, executemany on SQLite.

    Values go to the driver as they are: what a column's type would convert (times, JSON) must be
    converted already.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        copy_rows(connection, table, columns, rows)
    else:
        _execute_many(connection, table, columns, list(rows))


def insert_vectors(
    session: Session,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[int, Sequence[float]]],
) -> None:
    """Append rows of a key and numbers likewise; NaN becomes NULL.

    Args:
        columns: the key's first.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        copy_vectors(connection, table, columns, rows)
    else:
        # SQLite itself turns NaN into NULL.
        _execute_many(connection, table, columns, [(key, *vector) for key, vector in rows])


def _execute_many(
    connection: Connection, table: Table, columns: Sequence[str], rows: list[Row]
) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - our names
    connection.exec_driver_sql(statement, rows)
