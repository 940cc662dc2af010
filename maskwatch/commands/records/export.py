"""``maskwatch export``: requests with their features, for pandas, DuckDB or a notebook."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import IO

from store.engine.database import Database
from store.engine.existing import existing_database
from store.engine.reader_locks import Reader, lock_for_reading
from store.exports.export import ExportError, export_to, window_of
from store.exports.export_columns import Window
from store.exports.export_file import export_to_file, schema_path
from store.exports.export_formats import Format
from store.settings import StoreSettings

STANDARD_OUTPUT = "-"


def write_export(
    settings: StoreSettings, window: Window, form: Format, out: str, *, force: bool
) -> str:
    """Write an export; returns a sentence about it.

    Raises:
        MaskwatchError: it cannot be written, or the database cannot be read.
    """
    if out == STANDARD_OUTPUT and form is Format.PARQUET:
        raise ExportError("Parquet needs a file: give --out FILE, or --format csv or jsonl.")
    with existing_database(settings) as database, lock_for_reading(database, Reader.EXPORT):
        if out == STANDARD_OUTPUT:
            count = _write_to_stream(database, window, form, sys.stdout.buffer)
            return f"Wrote {_count_requests(count)}."
        path = Path(out)
        count = export_to_file(database, window, form, path, force=force)
    schema = "" if form is Format.PARQUET else f", their columns to {schema_path(path)}"
    return f"Wrote {_count_requests(count)} to {path}{schema}."


def choose_window(since: datetime, until: datetime | None, now: datetime) -> Window:
    """From one time to another; to now by default, so that an export under traffic ends.

    Raises:
        ExportError: nothing lies between them.
    """
    return window_of(since, until or now)


def _write_to_stream(database: Database, window: Window, form: Format, sink: IO[bytes]) -> int:
    try:
        count = export_to(database, window, form, sink)
        sink.flush()
    except BrokenPipeError:
        # What is still buffered has nowhere to go when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ExportError("The export was cut off: whoever read it stopped reading.") from None
    return count


def _count_requests(requests: int) -> str:
    return f"{requests} request{'' if requests == 1 else 's'}"
