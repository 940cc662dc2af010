"""The commands ``maskwatch db``. Thin, as the rest of the command line."""

from pathlib import Path
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

database_app = typer.Typer(help="The database: migrations, checks, backups.", no_args_is_help=True)


@database_app.command()
def upgrade() -> None:
    """Bring the tables to the newest revision."""
    from maskwatch.commands.database import upkeep

    revision = upkeep.upgrade(load_settings(StoreSettings))
    typer.echo(f"The database is at schema revision {revision}.")


@database_app.command()
def check() -> None:
    """Look at everything: pages, references, revision, files and spool. It may take minutes."""
    from maskwatch.commands.checks import State
    from maskwatch.commands.database import upkeep

    has_failed = False
    for each in upkeep.check(load_settings(StoreSettings)):
        has_failed = has_failed or each.state is State.FAIL
        typer.echo(each.to_text())
    if has_failed:
        raise typer.Exit(1)


@database_app.command()
def backup(
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the backup goes.")],
    with_files: Annotated[
        bool, typer.Option(help="Also put evidence, models and spool into OUT.files.tar.")
    ] = False,
) -> None:
    """Copy the database while the processes run, with a checksum beside the copy."""
    from maskwatch.commands.database import upkeep

    for sentence in upkeep.backup(load_settings(StoreSettings), out_file, with_files=with_files):
        typer.echo(sentence)


@database_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file of `maskwatch db backup`.")],
    force: Annotated[bool, typer.Option(help="Replace a database that has tables.")] = False,
) -> None:
    """Put a backup in the place of the database, after checks; stop the processes first."""
    from maskwatch.commands.database import upkeep

    typer.echo(upkeep.restore(load_settings(StoreSettings), file, force=force))
