"""The commands ``maskwatch audit``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

audit_app = typer.Typer(help="The audit chain: who changed what.", no_args_is_help=True)


@audit_app.command()
def verify(
    expect: Annotated[
        str | None, typer.Option(help="A last hash that was printed earlier: is it still there?")
    ] = None,
    anchor: Annotated[
        Path | None, typer.Option(help="File of anchors; over MASKWATCH_AUDIT_ANCHOR_FILE.")
    ] = None,
) -> None:
    """Find changed, missing and reordered rows, and by anchors those that were cut off."""
    from maskwatch.commands.audit.chain import check_chain

    is_wrong = False
    for line in check_chain(load_settings(StoreSettings), expect, anchor):
        is_wrong = is_wrong or line.is_wrong
        typer.echo(line.text)
    if is_wrong:
        raise typer.Exit(1)


@audit_app.command("list")
def list_entries(
    since: Annotated[
        str | None, typer.Option(help="2026-03-01, 2026-03-01T08:30 (UTC), 24h or 7d.")
    ] = None,
    actor: Annotated[str, typer.Option(help="The actor, or how it begins: analyst: or job:.")] = "",
    action: Annotated[str, typer.Option(help="What was done, e.g. decision_made.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List who changed what, oldest first."""
    from maskwatch.commands.audit import chain
    from maskwatch.commands.time_arguments import read_time
    from store.pages.audit_views import AuditFilter

    earliest = None if since is None else read_time(since, datetime.now(UTC))
    selection = AuditFilter(since=earliest, actor=actor, action=action)
    if not as_json:
        typer.echo(chain.describe_columns())
    for entry in chain.list_entries(load_settings(StoreSettings), selection):
        typer.echo(chain.to_json(entry) if as_json else chain.to_text(entry))
