"""The label lists of public data sets and models, with the part group of every label."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from detectors.label_lists import LABEL_LISTS

_FOLDER = Path(__file__).parent
_SUFFIX = ".toml"


@dataclass(frozen=True)
class ShippedTable:
    """One list.

    Attributes:
        title: the list as its authors call it.
        names: in the order of their indices; index 0 is the background.
        groups: part groups of the names that detectors do not know by themselves.
    """

    title: str
    names: tuple[str, ...]
    groups: Mapping[str, str]


def find_table(name: str) -> ShippedTable:
    """The table of a name, in small letters.

    Raises:
        ValueError: there is none of that name.
    """
    tables = shipped_tables()
    if name not in tables:
        raise ValueError(f"there is no table {name!r}: take {', '.join(tables)}, or write names")
    return tables[name]


@cache
def shipped_tables() -> Mapping[str, ShippedTable]:
    """All tables by their names: lists that detectors know, and those of the files beside this."""
    known = {name.lower(): ShippedTable(name, names, {}) for name, names in LABEL_LISTS.items()}
    files = {path.stem: _read_table(path) for path in _FOLDER.glob(f"*{_SUFFIX}")}
    return dict(sorted({**known, **files}.items()))


def _read_table(path: Path) -> ShippedTable:
    """A file lists the labels of each group; the order of all stands in ``names``."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    groups = {name: group for group, names in document["parts"].items() for name in names}
    return ShippedTable(document["title"], tuple(document["names"]), groups)
