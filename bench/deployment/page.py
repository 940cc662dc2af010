"""Writes the figures of a deployment into ``docs/deployment.md``, between its markers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.detection.page import fairness_table, markdown_table, write_between_markers

Rows = Sequence[Mapping[str, Any]]


def fill_page(page: Path, figures: Mapping[str, Any]) -> None:
    """Replace what stands between the markers of the page."""
    write_between_markers(page, _parts(figures))


def _parts(figures: Mapping[str, Any]) -> list[str]:
    rows = figures["deployment"]
    parts = ["### False alarms and cost", _alarms(rows), _rules(rows)]
    detection = [row for row in rows if row["detection"]]
    if detection:
        parts += ["### Detection at the learnt default", _detection(detection)]
    if "fairness" in figures:
        parts += ["### Skin tones", fairness_table(figures["fairness"])]
    if "poison" in figures:
        parts += ["### Poisoned learning", _poison(figures["poison"])]
    return parts


def _alarms(rows: Rows) -> str:
    head = (
        *("model", "traffic", "after", "state", "n", "flagged", "by a `bad` rule", "crafted"),
        *("cost / parse", "passes", "full ensembles"),
    )
    return markdown_table(
        head,
        [
            (
                row["model"],
                row["traffic"],
                f"{row['after']:,}",
                row["state"],
                str(row["n"]),
                *(f"{row[name]:.1%}" for name in ("flagged", "bad", "crafted")),
                f"{row['cost_ratio']:.2f}",
                f"{row['passes']:.0f}",
                f"{row['ensembles']:.1%}",
            )
            for row in rows
        ],
    )


def _rules(rows: Rows) -> str:
    """What flagged at all; and what was recorded without a flag."""
    lines = [
        f"- {row['model']}, {row['traffic']}, after {row['after']:,}: flagged by "
        f"{_shares(row['by_rule'])}; recorded {_shares(row['recorded'])}."
        for row in rows
    ]
    return "\n".join(lines)


def _shares(rules: Mapping[str, float]) -> str:
    return ", ".join(f"`{code}` {share:.1%}" for code, share in rules.items()) or "nothing"


def _detection(rows: Rows) -> str:
    head = ("model", "traffic", "after", "attack", "succeeded of tried", "crafted", "flagged")
    return markdown_table(
        head,
        [
            (
                row["model"],
                row["traffic"],
                f"{row['after']:,}",
                f"`{each['attack']}`",
                f"{each['n']} of {each['tried']}",
                f"{each['tpr']:.2f}" if each["n"] else "none",
                f"{each['flagged']:.2f}" if each["n"] else "none",
            )
            for row in rows
            for each in row["detection"]
        ],
    )


def _poison(rows: Rows) -> str:
    head = (
        "hostile pictures",
        "share",
        "clients",
        "state at last",
        "found",
        "fall",
        "false alarms",
    )
    return markdown_table(
        head,
        [
            (
                row["way"] if row["share"] else "none",
                f"{row['share']:.0%}",
                str(row["clients"]),
                row["phase"].replace("_", " "),
                f"{row['detection']:.2f}",
                f"{row.get('fall', 0.0):+.2f}",
                f"{row['false_alarms']:.1%}",
            )
            for row in rows
        ],
    )
