"""The commands ``maskwatch config``. Thin, as the rest of the command line."""

from pathlib import Path
from typing import Annotated

import typer

config_app = typer.Typer(help="Settings: show, check, begin a file.", no_args_is_help=True)


@config_app.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print every setting, by group, and where its value comes from; secrets are hidden."""
    from maskwatch.commands.config.settings_view import show_settings, to_json, to_text

    views = show_settings()
    for line in [to_json(views)] if as_json else to_text(views):
        typer.echo(line)


@config_app.command()
def check() -> None:
    """Look whether the settings of all processes can be used; one sentence for each problem."""
    from maskwatch.commands.config.settings_check import find_notes, find_problems

    problems = find_problems()
    for sentence in problems:
        typer.echo(f"maskwatch: {sentence}", err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo("All settings can be used.")
    for sentence in find_notes():
        typer.echo(f"Note: {sentence}")


@config_app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("maskwatch.toml"),
) -> None:
    """Write a TOML file with every setting, its meaning and its default, commented out."""
    from maskwatch.commands.config.draft import write_draft

    write_draft(file)
    typer.echo(f"Wrote {file}: start with `maskwatch --config {file} …`.")
