"""The commands ``maskwatch keys``. Thin, as the rest of the command line."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

keys_app = typer.Typer(help="API keys: clients that name themselves.", no_args_is_help=True)


@keys_app.command("add")
def add_key(name: Annotated[str, typer.Argument(help="How records will name the client.")]) -> None:
    """Make an API key and print it, once."""
    from maskwatch.commands.keys import api_keys as keys

    print(keys.add(load_settings(StoreSettings), name, datetime.now(UTC)))  # noqa: T201
    typer.echo("Keep this key now: it is not stored and cannot be shown again.", err=True)


@keys_app.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List API keys, revoked ones too."""
    from maskwatch.commands.keys import api_keys as keys

    for key in keys.listed(load_settings(StoreSettings)):
        print(keys.to_json(key) if as_json else keys.to_text(key))  # noqa: T201


@keys_app.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Revoke an API key for good."""
    from maskwatch.commands.keys import api_keys as keys

    keys.revoke(load_settings(StoreSettings), name, datetime.now(UTC))
    print(f"The key {name} is revoked: running services refuse it in a moment.")  # noqa: T201
