"""The pages of ``docs/`` that are made from code: ``python -m tools.reference_docs``."""

import argparse
import json
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path

from detectors.registry import FEATURES, Feature, Group
from store.pages.queries import DASHBOARD_QUERIES
from tools.alerts_table import runbook_page
from tools.clients_page import clients_page
from tools.commands_table import api_page
from tools.label_pages import labels_page
from tools.layout_page import layout_page
from tools.markdown import page, table
from tools.openapi.description import describe
from tools.settings_page import settings_page
from tools.threat_pages import evidence_page, gate_page, refusals_page, rules_page

DOCS = Path(__file__).parents[1] / "docs"


def pages() -> dict[str, str]:
    """Every generated page by file name."""
    return {
        "settings.md": settings_page(),
        "features.md": features_page(),
        "labels.md": labels_page(),
        "rules.md": rules_page(),
        "refusals.md": refusals_page(),
        "evidence.md": evidence_page(),
        "gate.md": gate_page(),
        "clients.md": clients_page(),
        "layout.md": layout_page(),
        "queries.md": queries_page(),
        "api.md": api_page(DOCS / "api.md"),
        "operations/on-call.md": runbook_page(DOCS / "operations" / "on-call.md"),
        "openapi.json": json.dumps(describe(), indent=2) + "\n",
    }


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
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _text_of(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _feature(feature: Feature) -> tuple[str, ...]:
    low = "" if feature.low == -inf else f"{feature.low:g}"
    high = "" if feature.high == inf else f"{feature.high:g}"
    span = f"{low} to {high}" if low and high else f"from {low}" if low else "any"
    return (
        f"`{feature.name}`",
        feature.unit,
        span,
        "yes" if feature.is_fitted else "no",
        feature.meaning,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages; with ``--check`` only name the stale ones and return 1."""
    parser = argparse.ArgumentParser(description="Write the pages that are made from code.")
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where the pages lie")
    options = parser.parse_args(arguments)
    if not options.check:
        write_pages(options.folder)
        return 0
    stale = stale_pages(options.folder)
    for name in stale:
        sys.stderr.write(
            f"{options.folder / name} is stale: run `python -m tools.reference_docs`.\n"
        )
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
