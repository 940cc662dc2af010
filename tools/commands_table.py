"""The commands of ``docs/api.md``: every one that ``--help`` shows, by its headings."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from maskwatch.cli import app
from tools.markdown import fill, table

Words = tuple[str, ...]


def api_page(page: Path) -> str:
    """The page with the commands that there are between its markers."""
    return fill(page, "commands", commands_table())


def commands_table() -> Iterator[str]:
    """A heading and a table for each panel of ``--help``."""
    group = get_command(app)
    for panel, commands in groupby(list_commands(group), lambda each: _panel_of(group, each[0])):
        yield from ("", f"### {panel}", "")
        yield from table(("Command", "Does", "Options"), [_row(*each) for each in commands])
    yield ""


def list_commands(command: Any, path: Words = ()) -> Iterator[tuple[Words, Any]]:
    """Every command that is not hidden, as words and as typer has it, in the order of the help."""
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    if command.invoke_without_command:
        yield path, command
    for name in command.list_commands(typer.Context(command)):
        if not command.commands[name].hidden:
            yield from list_commands(command.commands[name], (*path, name))


def _panel_of(group: Any, path: Words) -> str:
    return str(group.commands[path[0]].rich_help_panel)


def _row(path: Words, command: Any) -> tuple[str, str, str]:
    options = [each for each in command.params if isinstance(each, TyperOption)]
    words = [
        *path,
        *(_usage(each) for each in command.params if isinstance(each, TyperArgument)),
        *(f"{each.opts[0]} {_value(each)}" for each in options if each.required),
    ]
    rest = [each for each in options if not each.required and each.name != "help"]
    return (
        f"`{' '.join(words)}`",
        " ".join(command.help.split()),
        ", ".join(f"`{each.opts[0]}`" for each in rest),
    )


def _usage(argument: TyperArgument) -> str:
    name = _value(argument) + ("…" if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _value(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())
