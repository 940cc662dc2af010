"""Pages and tables in Markdown."""

from collections.abc import Iterable, Sequence

_HEADER = "<!-- Made by `python -m tools.reference_docs`. Change the code, then run it again. -->"


def page(title: str, lines: Sequence[str]) -> str:
    """A page that is made from code, and says so."""
    return "\n".join([_HEADER, "", f"# {title}", "", *lines]) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    rule = ["---"] * len(columns)
    return [_row(cells) for cells in (columns, rule, *rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
