"""The commands ``maskwatch families``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from jobs.settings import JobSettings
from maskwatch.commands.listing import echo_list
from store.settings import StoreSettings, load_settings

families_app = typer.Typer(
    help="Families: outliers and findings that belong together.", no_args_is_help=True
)

_ID = typer.Argument(metavar="ID", help="As `families list` numbers it.")
_JSON = typer.Option("--json", help="One JSON object a line.")


@families_app.command("list")
def list_families(as_json: Annotated[bool, _JSON] = False) -> None:
    """List the families, 100 at most: in the order that labels taught, else by when they grew."""
    from maskwatch.commands.families import family_list as views

    ordered = views.read_families(load_settings(JobSettings), datetime.now(UTC))
    if ordered.order:
        typer.echo(ordered.order, err=True)
    echo_list(
        (views.to_json(view) if as_json else views.to_text(view) for view in ordered.families),
        "There is no family: nothing unusual belongs together so far.",
    )


@families_app.command("show")
def show_family(family: Annotated[int, _ID], as_json: Annotated[bool, _JSON] = False) -> None:
    """Show a family: what it shares, its newest requests, the decisions that name it."""
    from maskwatch.commands.families import family_list as views

    settings, now = load_settings(StoreSettings), datetime.now(UTC)
    detail = views.read_one(settings, family, now)
    for line in [views.detail_to_json(detail)] if as_json else views.detail_to_text(detail):
        typer.echo(line)
