"""Many rows at once into PostgreSQL: binary COPY, for numbers as text cost ten times as much."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from struct import pack
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Column, Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

from store.engine.bulk.rows import Rows, Vectors

# https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": signature, flags, length
# of an extension, and what stands in place of another row's number of fields.
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = -1
# In units of two bytes, the largest in which all fields of a row can be counted.
_START, _CELL, _CELL_SIZE = 7, 6, 2


def copy_all(connection: Connection, parts: Iterator[Rows | Vectors]) -> None:
    """Append rows; the next ones are made while the server stores those before."""
    part = next(parts, None)
    while part is not None:
        with _open_copy(connection, part) as copy:
            if isinstance(part, Vectors):
                copy.write(_HEADER + _pack_rows(part) + _TRAILER)
            else:
                copy.set_types(_types(part.table, tuple(part.columns), connection.dialect))
                for row in part.rows:
                    copy.write_row(row)
            part = next(parts, None)


def _pack_rows(part: Vectors) -> bytes:
    """Rows of a bigint and doubles in the binary format.

    The driver packs value by value; of a hundred columns that takes as long as storing them.
    """
    width = len(part.columns) - 1
    doubles = b"".join([pack(f"{width}d", *vector) for _, vector in part.rows])
    values = np.frombuffer(doubles).reshape(-1, width)
    count = len(values)
    cells = ("cells", [("size", ">i4"), ("value", ">f8")], (width,))
    rows = np.empty(count, [("fields", ">i2"), ("key_size", ">i4"), ("key", ">i8"), cells])
    is_value = ~np.isnan(values)
    rows["fields"], rows["key_size"], rows["key"] = 1 + width, 8, [key for key, _ in part.rows]
    rows["cells"]["size"] = np.where(is_value, 8, _NULL)
    rows["cells"]["value"] = values
    # A NULL has a size and nothing after it.
    mask = np.ones((count, width, _CELL), dtype=np.bool_)
    mask[:, :, _CELL_SIZE:] = is_value[:, :, None]
    start = np.ones((count, _START), dtype=np.bool_)
    units: npt.NDArray[np.uint16] = rows.view(np.uint16).reshape(count, -1)
    payload: npt.NDArray[np.uint16] = units[np.hstack([start, mask.reshape(count, -1)])]
    return payload.tobytes()


@contextmanager
def _open_copy(connection: Connection, part: Rows | Vectors) -> Iterator[Any]:
    """The driver's COPY; its errors come as SQLAlchemy's, as those of every other statement do."""
    names = ", ".join(f'"{name}"' for name in part.columns)
    statement = f"COPY {part.table.name} ({names}) FROM STDIN (FORMAT BINARY)"
    driver: Any = connection.connection.driver_connection
    dialect = connection.dialect
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except dialect.loaded_dbapi.Error as error:
        is_lost = dialect.is_disconnect(error, driver, None)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            *(statement, None, error, dialect.loaded_dbapi.Error),
            connection_invalidated=is_lost,
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
