"""Prints figures as a table and writes them as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

Figures = Mapping[str, float | int | Mapping[str, float]]


def publish(title: str, figures: Figures, path: Path) -> None:
    """Show the flat figures and write all of them."""
    table = Table("figure", "value", title=title)
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for inner, number in value.items():
                table.add_row(f"{name} {inner}", f"{number:.4g}")
        else:
            table.add_row(name, f"{value:.4g}")
    Console().print(table)
    write_figures(figures, path)


def write_figures(figures: Figures, path: Path) -> None:
    """Write figures as JSON, whatever folder that needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")


def rows_table(title: str, rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> Table:
    """A table of the named columns, one line for each row."""
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(_format_value(row[name]) for name in columns))
    return table


def _format_value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
