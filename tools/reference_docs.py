"""The pages of ``docs/`` that are made from code: ``python -m tools.reference_docs``."""

import argparse
import json
import sys
from collections.abc import Sequence
from enum import Enum
from math import inf
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from detectors.registry import FEATURES, Feature, Group
from inference.gate.policy import Action
from inference.http.description import describe
from maskwatch.environment import ALL_SETTINGS
from store.configuration.names import PREFIX
from store.pages.queries import DASHBOARD_QUERIES
from store.settings import StoreSettings
from tools.label_pages import labels_page
from tools.layout_page import layout_page
from tools.markdown import page, table
from tools.threat_pages import gate_page, refusals_page, rules_page

DOCS = Path(__file__).parents[1] / "docs"

_PROCESSES = {
    "ServiceSettings": "service",
    "JobSettings": "jobs",
    "DashboardSettings": "dashboard",
    "SigningSettings": "command `maskwatch model sign`",
}
_KINDS: dict[type[Any], str] = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    Path: "path",
    SecretStr: "secret text",
    str: "text",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {
        "settings.md": settings_page(),
        "features.md": features_page(),
        "labels.md": labels_page(),
        "rules.md": rules_page(),
        "refusals.md": refusals_page(),
        "gate.md": gate_page(),
        "layout.md": layout_page(),
        "queries.md": queries_page(),
        "openapi.json": json.dumps(describe(), indent=2) + "\n",
    }


def settings_page() -> str:
    """Settings by the process that reads them."""
    parts = [
        "Settings are environment variables. They are read once, when a process starts. A value",
        "that cannot be used stops the start with the name of its variable, and so does a",
        f"variable that begins with `{PREFIX}` and is none of these.",
    ]
    for cls in _setting_classes():
        own = {
            name: cls.model_fields[name] for name in cls.__annotations__ if name in cls.model_fields
        }
        parts += ["", f"## {_readers(cls)}", "", " ".join((cls.__doc__ or "").split()), ""]
        rows = [_setting(name, field) for name, field in own.items()]
        parts += table(("Variable", "Default", "Values", "Meaning"), rows)
    return page("Settings", parts)


def features_page() -> str:
    """Features by group, in registry order."""
    parts = [
        "Every number that is measured on a request, in the order of the stored columns. A feature",
        "that was not measured is stored as NULL. Outlier models learn from the fitted ones only.",
    ]
    for group in Group:
        rows = [_feature(feature) for feature in FEATURES if feature.group is group]
        parts += ["", f"## {group.value.capitalize()}", ""]
        parts += table(("Feature", "Unit", "Range", "Fitted", "Meaning"), rows)
    return page("Features", parts)


def queries_page() -> str:
    """Reads of the dashboard, and what bounds each."""
    parts = [
        "Every read that a page of the dashboard makes, and why it costs about the same however",
        "many records there are. The list is `DASHBOARD_QUERIES` in `store/pages/queries.py`. Its",
        "tests have each statement explained by SQLite and by PostgreSQL: none goes through a",
        "whole table, and no page is reached by counting rows.",
        "[How long they take](store-figures.md) is measured at ten million records.",
        "",
    ]
    rows = [(query.name, query.bounded_by) for query in DASHBOARD_QUERIES]
    return page("Reads of the dashboard", [*parts, *table(("Read", "Bounded by"), rows)])


def stale_pages(folder: Path) -> list[str]:
    """Names of the pages in a folder that are missing or not what the code says."""
    return [name for name, text in pages().items() if _text_of(folder / name) != text]


def write_pages(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _setting_classes() -> list[type[StoreSettings]]:
    """The classes that define settings; those that more processes read come first."""
    found = {
        cls: None
        for settings in ALL_SETTINGS
        for cls in reversed(settings.__mro__)
        if issubclass(cls, StoreSettings)
    }
    return sorted(found, key=lambda cls: -len(_reading(cls)))


def _reading(cls: type[StoreSettings]) -> list[type[StoreSettings]]:
    return [settings for settings in ALL_SETTINGS if issubclass(settings, cls)]


def _readers(cls: type[StoreSettings]) -> str:
    reading = _reading(cls)
    if len(reading) == len(ALL_SETTINGS):
        return "Every process"
    names = [_PROCESSES.get(each.__name__, each.__name__) for each in reading]
    return f"The {' and the '.join(names)}"


def _setting(name: str, field: FieldInfo) -> tuple[str, ...]:
    return (
        f"`{PREFIX}{name.upper()}`",
        _default(field),
        _values(field),
        " ".join((field.description or "").split()),
    )


def _default(field: FieldInfo) -> str:
    """The default of a setting; where the machine decides, the words of what computes it."""
    if field.default_factory not in (None, dict):
        return (field.default_factory.__doc__ or "").strip().rstrip(".").lower()
    value: object = field.default
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return "none" if value is None or value in ("", {}) else f"`{value}`"


def _values(field: FieldInfo) -> str:
    """The type and bounds of a setting in words."""
    kinds = [_kind(each) for each in _alternatives(field.annotation) if each is not NoneType]
    bounds = [
        f"{word} {getattr(bound, name)}"
        for bound in field.metadata
        for name, word in _BOUNDS.items()
        if hasattr(bound, name)
    ]
    return ", ".join([" or ".join(dict.fromkeys(kinds)), *bounds])


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _kind(annotation: Any) -> str:
    if annotation == dict[str, Action]:
        return "list of `rule=action`"
    if get_origin(annotation) in (tuple, list, set, frozenset):
        inner = [each for each in get_args(annotation) if each is not Ellipsis]
        return "list of " + " or ".join(_kind(e) for each in inner for e in _alternatives(each))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    return _KINDS.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _feature(feature: Feature) -> tuple[str, ...]:
    low = "" if feature.low == -inf else f"{feature.low:g}"
    high = "" if feature.high == inf else f"{feature.high:g}"
    span = f"{low} to {high}" if low and high else f"from {low}" if low else "any"
    return (
        f"`{feature.name}`",
        feature.unit,
        span,
        "yes" if feature.fitted else "no",
        feature.meaning,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages; with ``--check`` only name the stale ones and return 1."""
    parser = argparse.ArgumentParser(description="Write the pages that are made from code.")
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where the pages lie")
    given = parser.parse_args(arguments)
    if not given.check:
        write_pages(given.folder)
        return 0
    stale = stale_pages(given.folder)
    for name in stale:
        sys.stderr.write(f"{given.folder / name} is stale: run `python -m tools.reference_docs`.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
