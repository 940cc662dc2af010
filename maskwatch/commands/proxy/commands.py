"""The commands ``maskwatch proxy``. Thin, as the rest of the command line."""

from typing import Annotated

import typer

proxy_app = typer.Typer(no_args_is_help=True)


@proxy_app.callback()
def stand_in_front() -> None:
    """Stand in front of a parsing service that runs already."""


@proxy_app.command("presets")
def list_presets(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the presets: their doors, and the files to copy for one's own."""
    from maskwatch.commands.proxy.preset_list import to_json, to_text, view_presets

    for view in view_presets():
        typer.echo(to_json(view) if as_json else to_text(view))
