"""The commands ``maskwatch db``. Thin, as the rest of the command line."""

from pathlib import Path
from typing import Annotated

import typer

from store.settings import StoreSettings, load_settings

database_app = typer.Typer(help="The database: migrations, checks, backups.", no_args_is_help=True)


@database_app.command()
def upgrade() -> None:
    """Bring the tables to the newest revision."""
    from maskwatch.commands.database import upkeep as db

    revision = db.upgrade(load_settings(StoreSettings))
    print(f"The database is at schema revision {revision}.")  # noqa: T201


@database_app.command()
def check() -> None:
    """Look at everything: pages, references, revision, files and spool. It may take minutes."""
    from maskwatch.commands.checks import State
    from maskwatch.commands.database import upkeep as db

    failed = False
    for each in db.check(load_settings(StoreSettings)):
        failed = failed or each.state is State.FAIL
        print(each.to_text(), flush=True)  # noqa: T201
    if failed:
        raise typer.Exit(1)


@database_app.command()
def backup(
    out_file: Annotated[Path, typer.Option("--out", help="Where the backup goes.")],
    with_files: Annotated[
        bool, typer.Option(help="Also put evidence, models and spool into OUT.files.tar.")
    ] = False,
) -> None:
    """Copy the database while the processes run, with a checksum beside the copy."""
    from maskwatch.commands.database import upkeep as db

    for sentence in db.backup(load_settings(StoreSettings), out_file, with_files=with_files):
        print(sentence)  # noqa: T201


@database_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file of `maskwatch db backup`.")],
    force: Annotated[bool, typer.Option(help="Replace a database that has tables.")] = False,
) -> None:
    """Put a backup in the place of the database, after checks; stop the processes first."""
    from maskwatch.commands.database import upkeep as db

    print(db.restore(load_settings(StoreSettings), file, force=force))  # noqa: T201
