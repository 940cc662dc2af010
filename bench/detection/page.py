"""Writes the figures of a measurement into ``docs/detection.md``, between its markers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_BEGIN, _END = "<!-- figures -->", "<!-- /figures -->"

Rows = Sequence[Mapping[str, Any]]


def fill(page: Path, figures: Mapping[str, Any]) -> None:
    """Replace what stands between the markers by the tables of the figures."""
    write_between_markers(page, _tables(figures))


def take_newer_probing(figures: Mapping[str, Any], newer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The figures, with searches and streams that were measured again in the place of theirs."""
    return {
        **figures,
        **newer,
        "probing": _replace_rows(figures, newer, "probing", ("attack", "clients")),
        "streams": _replace_rows(figures, newer, "streams", ("stream",)),
    }


def _replace_rows(
    figures: Mapping[str, Any], newer: Mapping[str, Any], table: str, keys: Sequence[str]
) -> Rows:
    rows = (*figures.get(table, ()), *newer[table])
    return tuple({tuple(row[key] for key in keys): row for row in rows}.values())


def write_between_markers(page: Path, parts: Sequence[str]) -> None:
    """Replace what stands between the markers of a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    middle = "\n\n".join(parts)
    page.write_text(f"{before}{_BEGIN}\n\n{middle}\n\n{_END}{after}", encoding="utf-8")


def _tables(figures: Mapping[str, Any]) -> list[str]:
    clean = figures["clean"]
    sentence = (
        f"{clean['n']} clean test photos: {clean['fpr']:.1%} called crafted at the threshold of "
        f"1 %, {clean['fpr_01pct']:.1%} at that of 0.1 %. "
        f"{figures['cascade_share_first_stage']:.1%} of them needed no more than the first look."
    )
    tables = ["## Attacks", _attacks(figures["rows"]), sentence]
    tables += ["## Harmless pictures", _controls(figures["controls"])]
    if "fairness" in figures:
        tables += ["## Skin tones", fairness_table(figures["fairness"])]
    if "adaptive" in figures:
        tables += ["## Attackers who know the detector", _adaptive(figures["adaptive"])]
    if "patch_list" in figures:
        tables += ["## A trigger on the blacklist", _patch_list(figures["patch_list"])]
    if "probing" in figures:
        tables += ["## Searches with answers alone", _probing(figures)]
    return tables


def _attacks(rows: Rows) -> str:
    head = (
        *("attack", "succeeded of tried", "AUROC", "TPR at 1 %", "95 %", "TPR at 0.1 %"),
        *("best peer", "its TPR at 1 %", "extra looks", "extra ms"),
    )
    return markdown_table(
        head,
        [
            (
                f"`{row['attack']}`",
                f"{row['n']} of {row['tried']}",
                f"{row['auroc']:.3f}",
                f"{row['tpr_1pct']:.2f}",
                f"{row['ci_low']:.2f}–{row['ci_high']:.2f}",
                f"{row['tpr_01pct']:.2f}",
                f"`{row['best_peer']}`",
                f"{row['best_peer_tpr_1pct']:.2f}",
                f"{row['extra_forwards']:.1f}",
                f"{row['extra_ms']:.0f}",
            )
            for row in rows
        ],
    )


def _controls(rows: Rows) -> str:
    return markdown_table(
        (
            "pictures",
            "n",
            "called crafted at 1 %",
            "at 0.5 %, the default",
            "named by another rule, [before](#rules-about-bodies)",
            "peers that are wrong most often, at 1 %",
        ),
        [
            (
                row["control"].replace("_", " "),
                str(row["n"]),
                f"{row['fpr']:.1%}",
                f"{row['fpr_default']:.1%}",
                f"{row['named_by_another_rule']:.1%}",
                _peers(row["peers"]),
            )
            for row in rows
        ],
    )


def _peers(rates: Mapping[str, float]) -> str:
    """The two that are wrong most often, at the same 1 %."""
    worst = sorted(rates, key=lambda name: -rates[name])[:2]
    return ", ".join(f"`{name}` {rates[name]:.0%}" for name in worst if rates[name])


def _adaptive(rows: Rows) -> str:
    return markdown_table(
        ("attack", "photos", "succeed", "succeed and are not found"),
        [
            (
                f"`{row['attack']}`",
                str(row["n"]),
                f"{row['success_without']:.2f}",
                f"{row['success_with']:.2f}",
            )
            for row in rows
        ],
    )


def fairness_table(figures: Mapping[str, Any]) -> str:
    """Rates of rules on portraits, and the model's own recall, by thirds of the typology angle."""
    rows = [*figures["rules"], *figures["recall"]]
    table = markdown_table(
        ("rule, or recall of", "darkest third", "middle", "lightest", "gap", "95 %"),
        [
            (
                f"`{row['rule']}`" if "rule" in row else str(row["part"]),
                *(f"{share:.1%}" for share in row["thirds"]),
                f"{row['gap']:+.1%}",
                f"{row['low']:+.1%} to {row['high']:+.1%}",
            )
            for row in rows
        ],
    )
    return (
        f"{figures['n']} portraits with a face; recall on labelled test photos. "
        f"{describe_gap(figures)}\n\n{table}"
    )


def describe_gap(figures: Mapping[str, Any]) -> str:
    """How much more often any rule fires on the darkest third than on the lightest, at most."""
    gap, low, high = (100 * figures[f"max_gap{end}"] for end in ("", "_low", "_high"))
    return (
        f"The largest gap of a rule, darkest less lightest third, is {gap:+.1f} points "
        f"(95 %: {low:+.1f} to {high:+.1f})."
    )


def _patch_list(figures: Mapping[str, Any]) -> str:
    look_sentence = f" A look takes {figures['ms']:.0f} ms a patch." if figures["listed"] else ""
    return (
        f"Of {figures['sent']} trigger pictures the tile search flagged {figures['flagged']}; the "
        f"job listed {figures['listed']} of the patches that recur in them. "
        f"Of {figures['n']} other trigger pictures {figures['found']:.1%} show a listed one, "
        f"of {figures['clean']} clean test photos {figures['fpr']:.1%}.{look_sentence}"
    )


def _probing(figures: Mapping[str, Any]) -> str:
    searches = markdown_table(
        ("search", "clients", "n", "found within 50", "median queries", "peer finds"),
        [
            (
                f"`{row['attack']}`",
                str(row["clients"]),
                str(row["n"]),
                f"{row['detected']:.2f}",
                "none" if row["median_queries"] is None else f"{row['median_queries']:.0f}",
                f"{row['peer_detected']:.2f}",
            )
            for row in figures["probing"]
        ],
    )
    streams = markdown_table(
        ("stream", "n", "called a search", "by the peer"),
        [
            (
                row["stream"].replace("_", " "),
                str(row["n"]),
                f"{row['fpr']:.2f}",
                f"{row['peer_fpr']:.2f}",
            )
            for row in figures["streams"]
        ],
    )
    sentence = (
        f"Streams and re-uploads called a search: {figures['probing_fpr']:.1%}; "
        f"by the peer: {figures['probing_peer_fpr']:.1%}."
    )
    return f"{searches}\n\n{streams}\n\n{sentence}"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
