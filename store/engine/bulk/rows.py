"""Rows on their way to one table, past SQLAlchemy's types."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

Row = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Rows:
    """Values as the driver takes them: times and JSON are converted already."""

    table: Table
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, eq=False)
class Vectors:
    """A key and doubles, of which NaN becomes NULL.

    Attributes:
        columns: the key's first.
    """

    table: Table
    columns: Sequence[str]
    rows: Sequence[tuple[int, Sequence[float]]]
