"""The commands ``maskwatch decisions``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

decisions_app = typer.Typer(help="Blocks and allows: list those that hold.", no_args_is_help=True)


@decisions_app.callback()
def decisions() -> None:
    """Keep ``list`` a command of its own: typer would fold a group of one into its command."""


@decisions_app.command("list")
def list_decisions(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the blocks and allows that hold now, newest first, 500 at most."""
    from maskwatch.commands.decisions.decision_list import read_decisions, to_json, to_text

    for view in read_decisions(load_settings(StoreSettings), datetime.now(UTC)):
        typer.echo(to_json(view) if as_json else to_text(view))
