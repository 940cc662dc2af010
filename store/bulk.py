"""Many rows of one table at once, as fast as each database takes them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Row = tuple[Any, ...]


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
        _copy(connection, *_copy_statement(table, tuple(columns), connection.dialect), rows)
    else:
        marks = ", ".join("?" * len(columns))
        statement = _statement("INSERT INTO {} ({}) VALUES ({})", table, columns, marks)
        connection.exec_driver_sql(statement, list(rows))


def _statement(form: str, table: Table, columns: Sequence[str], marks: str = "") -> str:
    """SQL of names that this code gives, never of anything that was sent."""
    return form.format(table.name, ", ".join(f'"{name}"' for name in columns), marks)


@lru_cache
def _copy_statement(
    table: Table, columns: tuple[str, ...], dialect: Dialect
) -> tuple[str, tuple[str, ...]]:
    """The statement, and the names of the columns' types."""
    types = tuple(_type_name(table.columns[name], dialect) for name in columns)
    return _statement("COPY {} ({}) FROM STDIN (FORMAT BINARY)", table, columns), types


def _type_name(column: Column[Any], dialect: Dialect) -> str:
    """The name under which the driver knows a column's type, e.g. ``varchar`` or ``bigint``."""
    name = column.type.compile(dialect).partition("(")[0].lower()
    # JSON travels as its text, and comes here as text: the driver would encode it once more.
    return "text" if name == "json" else name


def _copy(
    connection: Connection, statement: str, types: Sequence[str], rows: Iterable[Row]
) -> None:
    """In binary: numbers as text cost ten times as much."""
    driver: Any = connection.connection.driver_connection
    dialect = connection.dialect
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except dialect.loaded_dbapi.Error as error:
        # What SQLAlchemy does for every statement that goes through it.
        lost = dialect.is_disconnect(error, driver, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            *(statement, None, error, dialect.loaded_dbapi.Error),
            connection_invalidated=lost,
            dialect=dialect,
        ) from error
