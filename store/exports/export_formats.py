"""How an export is written: Parquet, CSV or JSON lines."""

import csv
import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from io import TextIOWrapper
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from store.exports.export_columns import COLUMNS, Column, Kind, Window, description

Values = tuple[Any, ...]

# A spreadsheet takes a cell that begins like this for a formula, and clients choose some texts.
# The apostrophe itself is among them, so that the guard can be taken off again without guessing.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠'")
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.JSON: pa.string(),
    Kind.TIME: pa.timestamp("us", tz="UTC"),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
}


class Format(StrEnum):
    """Which formats there are."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


class Writer(Protocol):
    """Writes rows of :data:`store.exports.export_columns.COLUMNS`; it does not close the sink."""

    def write(self, rows: Sequence[Values]) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what is left."""


def writer_of(form: Format, window: Window, sink: IO[bytes]) -> Writer:
    """A writer that has begun: names of columns and metadata go first."""
    if form is Format.PARQUET:
        return ParquetWriter(window, sink)
    return CsvWriter(sink) if form is Format.CSV else JsonLinesWriter(sink)


class ParquetWriter:
    """One row group for each batch; descriptions in the metadata of file and fields."""

    def __init__(self, window: Window, sink: IO[bytes]) -> None:
        metadata = {"maskwatch": json.dumps(description(window), ensure_ascii=False)}
        self._schema = pa.schema([_field(column) for column in COLUMNS], metadata)
        self._writer = pq.ParquetWriter(sink, self._schema, compression="zstd")

    def write(self, rows: Sequence[Values]) -> None:  # noqa: D102
        values = zip(COLUMNS, zip(*rows, strict=True), strict=True)
        arrays = [_array(column, each) for column, each in values]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:  # noqa: D102
        self._writer.close()


def _field(column: Column) -> Any:
    return pa.field(column.name, _TYPES[column.kind], metadata=column.describe())


def _array(column: Column, values: Sequence[Any]) -> Any:
    texts = [_json(value) for value in values] if column.kind is Kind.JSON else values
    return pa.array(texts, type=_TYPES[column.kind])


class CsvWriter:
    """One line a request; an empty cell is what was not measured or is not known."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._text = TextIOWrapper(sink, encoding="utf-8", newline="", write_through=True)
        self._csv = csv.writer(self._text, lineterminator="\n")
        self._csv.writerow([column.name for column in COLUMNS])

    def write(self, rows: Sequence[Values]) -> None:  # noqa: D102
        self._csv.writerows(map(_cells, rows))

    def close(self) -> None:  # noqa: D102
        self._text.detach()


def _cells(row: Values) -> list[str]:
    return [_cell(column, value) for column, value in zip(COLUMNS, row, strict=True)]


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if column.kind is Kind.TEXT:
        return escape_formula(value)
    if column.kind in {Kind.TEXTS, Kind.JSON}:
        return _json(value)
    return str(_plain(value))


def escape_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula: what looks like one gets an apostrophe.

    >>> guarded("=1+1"), guarded("key:acme"), guarded("'quoted")
    ("'=1+1", 'key:acme', "''quoted")
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


class JsonLinesWriter:
    """One object a line; ``null`` is what was not measured or is not known."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink

    def write(self, rows: Sequence[Values]) -> None:  # noqa: D102
        names = [column.name for column in COLUMNS]
        for row in rows:
            values = dict(zip(names, map(_plain, row), strict=True))
            self._sink.write(f"{_json(values)}\n".encode())

    def close(self) -> None:
        """Nothing is left."""


def _plain(value: Any) -> Any:
    # Always with microseconds: readers guess the form of a column from its first value.
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
