"""The commands ``maskwatch config``. Thin, as the rest of the command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

config_app = typer.Typer(help="Settings: show, check, begin a file.", no_args_is_help=True)


@config_app.command()
def show(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print every setting, by group, and where its value comes from; secrets are hidden."""
    from maskwatch.commands.config import settings_view as config

    shown = config.show_settings()
    for line in [config.to_json(shown)] if as_json else config.to_text(shown):
        print(line)  # noqa: T201


@config_app.command()
def check() -> None:
    """Look whether the settings of all processes can be used; one sentence for each problem."""
    from maskwatch.commands.config import settings_view as config

    problems = config.find_problems()
    for sentence in problems:
        print(f"maskwatch: {sentence}", file=sys.stderr)  # noqa: T201
    if problems:
        raise typer.Exit(1)
    print("All settings can be used.")  # noqa: T201
    for sentence in config.find_notes():
        print(f"Note: {sentence}")  # noqa: T201


@config_app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("maskwatch.toml"),
) -> None:
    """Write a TOML file with every setting, its meaning and its default, commented out."""
    from maskwatch.commands.config.draft import write_draft

    write_draft(file)
    print(f"Wrote {file}: start with `maskwatch --config {file} …`.")  # noqa: T201
