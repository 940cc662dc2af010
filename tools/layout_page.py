"""``docs/layout.md``: every folder of the packages, in the words of its docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.markdown import page, table

ROOT = Path(__file__).parents[1]
PACKAGES = ("detectors", "store", "inference", "jobs", "dashboard", "maskwatch", "bench", "tools")


def layout_page() -> str:
    """Packages from the bottom up, with their folders and modules."""
    parts = [
        "Where things are. Each folder says in its `__init__.py` what is in it; a package imports",
        "from those above it on this page, never from those below",
        "([the import rule](architecture.md#the-import-rule)).",
    ]
    for package in PACKAGES:
        parts += ["", f"## `{package}/`", "", summary_of(ROOT / package), ""]
        parts += table(("Folder", "What is in it", "Modules"), _rows(ROOT / package))
    return page("Layout", parts)


def summary_of(folder: Path) -> str:
    """The first sentence of a package's docstring, on one line."""
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    return " ".join((docstring or "").split("\n\n")[0].split())


def _rows(package: Path) -> Iterator[tuple[str, str, str]]:
    for init in sorted(package.rglob("__init__.py")):
        folder = init.parent
        modules = sorted(each.stem for each in folder.glob("*.py") if each != init)
        name = "its root" if folder == package else f"`{folder.relative_to(package)}/`"
        summary = "" if folder == package else summary_of(folder)
        yield (name, summary, ", ".join(modules))
