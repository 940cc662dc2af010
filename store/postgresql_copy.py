"""Many rows at once into PostgreSQL: binary COPY, for numbers as text cost ten times as much."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from struct import pack
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]

# https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": signature, flags, length
# of an extension, and what stands in place of another row's number of fields.
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = -1
# In units of two bytes, the largest in which all fields of a row can be counted.
_START, _CELL, _CELL_SIZE = 7, 6, 2


def copy_rows(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Append rows; each value goes to the driver as it is, JSON as its text."""
    with _copying(connection, table, columns) as copy:
        copy.set_types(_types(table, tuple(columns), connection.dialect))
        for row in rows:
            copy.write_row(row)


def copy_vectors(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[int, Sequence[float]]],
) -> None:
    """Append rows of a key and doubles; NaN becomes NULL.

    The driver packs value by value; of a hundred columns that took longer than the server needs to
    store them.
    """
    doubles = b"".join([pack(f"{len(columns) - 1}d", *vector) for _, vector in rows])
    values = np.frombuffer(doubles).reshape(len(rows), -1)
    with _copying(connection, table, columns) as copy:
        copy.write(_HEADER + _packed([key for key, _ in rows], values) + _TRAILER)


def _packed(keys: Sequence[int], values: npt.NDArray[np.float64]) -> bytes:
    """Rows of a bigint and doubles in the binary format, NULL where a value is NaN."""
    count, width = values.shape
    cells = ("cells", [("size", ">i4"), ("value", ">f8")], (width,))
    rows = np.empty(count, [("fields", ">i2"), ("key_size", ">i4"), ("key", ">i8"), cells])
    known = ~np.isnan(values)
    rows["fields"], rows["key_size"], rows["key"] = 1 + width, 8, keys
    rows["cells"]["size"] = np.where(known, 8, _NULL)
    rows["cells"]["value"] = values
    # A NULL has a size and nothing after it.
    kept = np.ones((count, width, _CELL), dtype=np.bool_)
    kept[:, :, _CELL_SIZE:] = known[:, :, None]
    start = np.ones((count, _START), dtype=np.bool_)
    units: npt.NDArray[np.uint16] = rows.view(np.uint16).reshape(count, -1)
    left: npt.NDArray[np.uint16] = units[np.hstack([start, kept.reshape(count, -1)])]
    return left.tobytes()


@contextmanager
def _copying(connection: Connection, table: Table, columns: Sequence[str]) -> Iterator[Any]:
    """The driver's COPY; its errors come as SQLAlchemy's, as those of every other statement do."""
    names = ", ".join(f'"{name}"' for name in columns)
    statement = f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"
    driver: Any = connection.connection.driver_connection
    dialect = connection.dialect
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except dialect.loaded_dbapi.Error as error:
        lost = dialect.is_disconnect(error, driver, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            *(statement, None, error, dialect.loaded_dbapi.Error),
            connection_invalidated=lost,
            dialect=dialect,
        ) from error


@lru_cache
def _types(table: Table, columns: tuple[str, ...], dialect: Dialect) -> tuple[str, ...]:
    return tuple(_type_name(table.columns[name], dialect) for name in columns)


def _type_name(column: Column[Any], dialect: Dialect) -> str:
    """The name under which the driver knows a column's type, e.g. ``varchar`` or ``bigint``."""
    name = column.type.compile(dialect).partition("(")[0].lower()
    # JSON travels as its text, and comes here as text: the driver would encode it once more.
    return "text" if name == "json" else name
