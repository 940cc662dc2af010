"""Lists on a terminal."""

from collections.abc import Iterable

import typer


def echo_list(lines: Iterable[str], if_empty: str) -> None:
    """Print the lines; of none, say so on standard error, where no program reads them."""
    is_empty = True
    for line in lines:
        typer.echo(line)
        is_empty = False
    if is_empty:
        typer.echo(if_empty, err=True)
