"""The commands ``maskwatch keys``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.people.key_scopes import KeyScope
from store.settings import StoreSettings, load_settings

keys_app = typer.Typer(help="API keys: clients that name themselves.", no_args_is_help=True)


@keys_app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="How records will name the client.")],
    scope: Annotated[
        list[KeyScope], typer.Option(help="What the key is good for; may be given twice.")
    ] = [KeyScope.PARSE],  # noqa: B006 - typer wants a list, and nobody changes it
) -> None:
    """Make an API key and print it, once."""
    from maskwatch.commands.keys import api_keys

    typer.echo(api_keys.make_key(load_settings(StoreSettings), name, scope, datetime.now(UTC)))
    typer.echo("Keep this key now: it is not stored and cannot be shown again.", err=True)


@keys_app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List API keys, revoked ones too."""
    from maskwatch.commands.keys import api_keys

    for key in api_keys.read_keys(load_settings(StoreSettings)):
        typer.echo(api_keys.to_json(key) if as_json else api_keys.to_text(key))


@keys_app.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Revoke an API key for good."""
    from maskwatch.commands.keys import api_keys

    api_keys.end_key(load_settings(StoreSettings), name, datetime.now(UTC))
    typer.echo(f"The key {name} is revoked: running services refuse it in a moment.")
