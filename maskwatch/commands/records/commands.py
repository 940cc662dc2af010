"""The commands ``maskwatch export`` and ``maskwatch erase``. Thin."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings


def export(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="2026-03-01, 2026-03-01T08:30 (UTC), 24h or 7d.")
    ],
    out_file: Annotated[
        str, typer.Option("--out", metavar="FILE", help="The file; - is standard output.")
    ],
    until: Annotated[str | None, typer.Option(help="Likewise; by default now.")] = None,
    form: Annotated[str, typer.Option("--format", help="parquet, csv or jsonl.")] = "parquet",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file of that name.")] = False,
) -> None:
    """Write requests with their features, for pandas, DuckDB or a notebook."""
    from maskwatch.commands.records.export import choose_window, write_export
    from maskwatch.commands.time_arguments import read_time
    from store.exports.export import parse_format

    now = datetime.now(UTC)
    end = None if until is None else read_time(until, now)
    window = choose_window(read_time(since, now), end, now)
    settings = load_settings(StoreSettings)
    sentence = write_export(settings, window, parse_format(form), out_file, force=force)
    # Standard output is for the export itself.
    typer.echo(sentence, err=True)


def erase(
    request: Annotated[str | None, typer.Option(help="Id of one request.")] = None,
    client: Annotated[
        str | None, typer.Option(help="A client, as records name it: ip:203.0.113.7, key:acme.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only count what would go.")] = False,
) -> None:
    """Erase everything that names a request or a client, for a data-protection request."""
    from maskwatch.commands.records import erasure
    from store.audit.actors import operator
    from store.keeping.erasure import Subject
    from store.requests.request_ids import read_request_id

    if (request is None) == (client is None):
        raise typer.BadParameter("Give either --request ID or --client NAME.")
    # What no id can be is looked for as it stands, and named when it is not there.
    request_id = request and str(read_request_id(request) or request)
    subject, settings = Subject(request_id, client), load_settings(StoreSettings)
    if dry_run:
        lines = erasure.describe_preview(subject, erasure.preview_erasure(settings, subject))
    else:
        report = erasure.erase_subject(settings, subject, operator(), datetime.now(UTC))
        lines = erasure.describe_erasure(subject, report)
    for line in lines:
        typer.echo(line)
