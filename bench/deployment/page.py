"""Writes the figures of a deployment into ``docs/deployment.md``, between its markers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.detection.page import fairness_table, markdown_table, write_between_markers
from bench.shares import Share
from detectors.rule_book import ADVERSARIAL_PICTURE

Rows = Sequence[Mapping[str, Any]]
_CRAFTED = ADVERSARIAL_PICTURE.code


def fill_page(page: Path, figures: Mapping[str, Any]) -> None:
    """Replace what stands between the markers of the page."""
    write_between_markers(page, _parts(figures))


def _parts(figures: Mapping[str, Any]) -> list[str]:
    rows = figures["deployment"]
    parts = ["### False alarms and cost", _alarms(rows), _rules(rows)]
    detection = [row for row in rows if row["detection"]]
    if detection:
        parts += ["### Detection at the learnt default", _detection(detection)]
        parts += _rules_of_attacks(detection)
    measured = [row for row in rows if "fairness" in row]
    if measured:
        parts += ["### Skin tones", *(_tones(row) for row in measured)]
    if "poison" in figures:
        parts += ["### Poisoned learning", _poison(figures["poison"])]
    return parts


def name_traffic(row: Mapping[str, Any]) -> str:
    """The kind of traffic, and how much of it is hostile.

    >>> name_traffic({"traffic": "mixed", "hostile": "0.2 from 50"})
    'mixed, 20% hostile of 50 clients'
    """
    share, _, clients = row["hostile"].partition(" from ")
    if not float(share):
        return str(row["traffic"])
    return f"{row['traffic']}, {float(share):.0%} hostile of {clients} clients"


def _tones(row: Mapping[str, Any]) -> str:
    title = f"{row['model']}, {name_traffic(row)}, after {row['after']:,}"
    return f"{title}: {fairness_table(row['fairness'])}"


def _alarms(rows: Rows) -> str:
    head = (
        *("model", "traffic", "after", "state", "n", "flagged", "95 %", "by a `bad` rule"),
        "crafted",
        *("cost / parse", "passes", "full ensembles"),
    )
    return markdown_table(
        head,
        [
            (
                row["model"],
                name_traffic(row),
                f"{row['after']:,}",
                row["state"],
                str(row["n"]),
                f"{row['flagged']:.1%}",
                _bounds(row["flagged"], row["n"]),
                f"{row['bad']:.1%}",
                f"{row['crafted']:.1%}",
                f"{row['cost_ratio']:.2f}",
                f"{row['passes']:.0f}",
                f"{row['ensembles']:.1%}",
            )
            for row in rows
        ],
    )


def _bounds(share: float, n: int) -> str:
    """Between which shares it lies.

    >>> _bounds(0.5, 20)
    '30% to 70%'
    """
    low, high = Share(round(share * n), n).bounds
    return f"{low:.0%} to {high:.0%}"


def _rules(rows: Rows) -> str:
    """What flagged at all; and what was recorded without a flag."""
    lines = [
        f"- {row['model']}, {name_traffic(row)}, after {row['after']:,}: flagged by "
        f"{_shares(row['by_rule'])}; recorded {_shares(row['recorded'])}."
        for row in rows
    ]
    return "\n".join(lines)


def _shares(rules: Mapping[str, float]) -> str:
    return ", ".join(f"`{code}` {share:.1%}" for code, share in rules.items()) or "nothing"


def _detection(rows: Rows) -> str:
    head = ("model", "traffic", "after", "attack", "succeeded of tried", "found", "95 %", "flagged")
    return markdown_table(
        head,
        [
            (
                row["model"],
                name_traffic(row),
                f"{row['after']:,}",
                f"`{each['attack']}`",
                f"{each['n']} of {each['tried']}",
                f"{each['tpr']:.2f}" if each["n"] else "none",
                _bounds(each["tpr"], each["n"]),
                f"{each['flagged']:.2f}" if each["n"] else "none",
            )
            for row in rows
            for each in row["detection"]
        ],
    )


def _rules_of_attacks(rows: Rows) -> list[str]:
    """Which rule found what is not called crafted, and how much of it was looked at in full."""
    lines = [
        f"- {row['model']}, {name_traffic(row)}, after {row['after']:,}: `{each['attack']}` is "
        f"found by `{each['rule']}`; {each['ensembles']:.1%} of the pictures are looked at in full."
        for row in rows
        for each in row["detection"]
        if each.get("rule", _CRAFTED) != _CRAFTED and each["n"]
    ]
    return ["\n".join(lines)] if lines else []


def _poison(rows: Rows) -> str:
    head = (
        "hostile pictures",
        "share",
        "clients",
        "state at last",
        "found",
        "fall",
        "false alarms (worst draw)",
    )
    return markdown_table(
        head,
        [
            (
                row["way"] if row["share"] else "none",
                f"{row['share']:.0%}",
                str(row["clients"]),
                row["phase"].replace("_", " "),
                f"{row['detection']:.2f} ± {row['detection_deviation']:.2f}",
                f"{row.get('fall', 0.0):+.2f}",
                f"{row['false_alarms']:.1%} ({row['false_alarms_max']:.1%})",
            )
            for row in rows
        ],
    )
