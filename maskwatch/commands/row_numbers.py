"""Numbers of rows that people type."""

import typer
from typer.models import ArgumentInfo

# More than that no column holds, and the drivers of the databases fail in ways of their own.
_LARGEST = 2**63 - 1


def row_number(listing: str) -> ArgumentInfo:
    """The argument that names a row by its number.

    Args:
        listing: the command that shows the numbers.
    """
    number: ArgumentInfo = typer.Argument(
        metavar="ID", help=f"As `{listing}` numbers it.", min=1, max=_LARGEST
    )
    return number
