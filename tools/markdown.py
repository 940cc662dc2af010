"""Pages and tables in Markdown."""

from collections.abc import Iterable, Sequence
from pathlib import Path

_MAKER = "`python -m tools.reference_docs`"
_HEADER = f"<!-- Made by {_MAKER}. Change the code, then run it again. -->"


def page(title: str, lines: Sequence[str]) -> str:
    """A page that is made from code, and says so."""
    return "\n".join([_HEADER, "", f"# {title}", "", *lines]) + "\n"


def fill(path: Path, name: str, lines: Iterable[str]) -> str:
    """A page that is written by hand, with lines made from code between the markers of a name.

    Raises:
        ValueError: the page has no such markers.
    """
    begin, end = f"<!-- {name}: made by {_MAKER} -->", f"<!-- /{name} -->"
    before, begins, rest = path.read_text(encoding="utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    if not (begins and ends):
        raise ValueError(f"{path} lacks the markers {begin} and {end}.")
    return "\n".join([before + begin, *lines, end]) + after


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    rule = ["---"] * len(columns)
    return [_row(cells) for cells in (columns, rule, *rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
