"""The command ``maskwatch export``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings


def export(
    since: Annotated[str, typer.Option(help="2026-03-01, 2026-03-01T08:30 (UTC), 24h or 7d.")],
    out_file: Annotated[str, typer.Option("--out", help="The file; - is standard output.")],
    until: Annotated[str | None, typer.Option(help="Likewise; by default now.")] = None,
    form: Annotated[str, typer.Option("--format", help="parquet, csv or jsonl.")] = "parquet",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file of that name.")] = False,
) -> None:
    """Write requests with their features, for pandas, DuckDB or a notebook."""
    from maskwatch.commands.records import export as exports
    from maskwatch.commands.time_arguments import moment
    from store.exports.export import parse_format

    now = datetime.now(UTC)
    window = exports.window(moment(since, now), None if until is None else moment(until, now), now)
    settings = load_settings(StoreSettings)
    sentence = exports.export(settings, window, parse_format(form), out_file, force=force)
    # Standard output is for the export itself.
    typer.echo(sentence, err=True)
