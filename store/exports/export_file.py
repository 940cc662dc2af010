"""An export as a file: it has its name only when it is whole."""

import json
import os
from pathlib import Path

from store.engine.database import Database
from store.engine.files.whole_files import whole_file
from store.exports.export import ExportError, export_to
from store.exports.export_columns import Window, description
from store.exports.export_formats import Format


def schema_path(path: Path) -> Path:
    """Where the description of a CSV or JSON lines export lies."""
    return path.with_name(f"{path.name}.schema.json")


def export_to_file(
    database: Database, window: Window, form: Format, path: Path, *, force: bool = False
) -> int:
    """Write every request of a window to a file; returns how many there were.

    Parquet files describe themselves; beside the others lies :func:`schema_path`. Exports name
    clients, so only their owner may read them.

    Raises:
        ExportError: a file is there already and ``force`` is not given, or cannot be written.
        StoreUnavailable: the database cannot be read.
    """
    needs_schema = form is not Format.PARQUET
    _check(path, needs_schema, force)
    try:
        with whole_file(path) as sink:
            rows = export_to(database, window, form, sink)
            if needs_schema:
                _describe(window, path, rows)
    except OSError as error:
        why = error.strerror or str(error)
        raise ExportError(f"The export cannot be written to {path}: {why}.") from error
    return rows


def _check(path: Path, needs_schema: bool, force: bool) -> None:
    if path.is_dir():
        raise ExportError(f"{path} is a folder: name a file in it.")
    if not path.parent.is_dir():
        raise ExportError(f"The folder {path.parent} does not exist: make it first.")
    files = [path, schema_path(path)] if needs_schema else [path]
    there = next((each for each in files if os.path.lexists(each)), None)
    if there is not None and not force:
        raise ExportError(f"{there} exists already: choose another name, or give --force.")


def _describe(window: Window, path: Path, rows: int) -> None:
    text = json.dumps({**description(window), "rows": rows}, ensure_ascii=False, indent=1)
    with whole_file(schema_path(path)) as sink:
        sink.write(f"{text}\n".encode())
