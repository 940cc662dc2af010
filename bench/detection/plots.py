"""Draws the figures of a measurement: ROC curves, and where every score lies."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bench.detection.attacks.minimal import LibraryMissing

Rows = Sequence[Mapping[str, Any]]
_INK, _QUIET, _ATTACK, _CLEAN = "#1D2939", "#98A2B3", "#B42318", "#1570EF"
_PALETTE = ("#1570EF", "#B42318", "#E69F00", "#027A48", "#6941C6", "#475467")
_FAMILIES = {
    "Gradient attacks": ("pgd", "segpgd", "cospgd"),
    "Part removal": ("remove",),
    "Least change": ("dag", "alma"),
    "Patch, universal, trigger": ("patch", "universal", "trigger"),
}
_MIN_RATE = 0.004


def draw(figures: Mapping[str, Any], folder: Path) -> None:
    """Write ``detection-roc.png`` and ``detection-scores.png``.

    Raises:
        LibraryMissing: matplotlib is not installed.
    """
    try:
        import_module("matplotlib").use("Agg")
        plots = import_module("matplotlib.pyplot")
    except ImportError:
        raise LibraryMissing(
            "Plots need matplotlib: install the extra with `make bench-install`."
        ) from None
    plots.rcParams.update({"font.size": 9, "axes.edgecolor": _QUIET, "text.color": _INK})
    rows = [row for row in figures["rows"] if row.get("scores")]
    _save(plots, _roc(plots, rows, figures["clean"]["scores"]), folder / "detection-roc.png")
    _save(plots, _strips(plots, figures, rows), folder / "detection-scores.png")


def _save(plots: Any, figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, facecolor="white", bbox_inches="tight")
    plots.close(figure)


def _roc(plots: Any, rows: Rows, clean: Sequence[float]) -> Any:
    figure, axes = plots.subplots(1, len(_FAMILIES), figsize=(13, 3.6), sharey=True)
    for axis, (title, prefixes) in zip(axes, _FAMILIES.items(), strict=True):
        mine = [row for row in rows if row["attack"].startswith(prefixes)]
        for place, row in enumerate(mine):
            rates = _curve(row["scores"], row.get("clean_scores", clean))
            style = "--" if place >= len(_PALETTE) else "-"
            colour = _PALETTE[place % len(_PALETTE)]
            axis.plot(*rates, style, color=colour, linewidth=1.6, label=row["attack"])
        axis.set_xscale("log")
        axis.set_xlim(_MIN_RATE, 1)
        axis.set_ylim(0, 1.02)
        axis.axvline(0.01, color=_QUIET, linewidth=0.8, linestyle=":")
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlabel("share of clean test photos")
        axis.spines[["top", "right"]].set_visible(False)
        if mine:
            axis.legend(fontsize=7, frameon=False, loc="lower right")
    axes[0].set_ylabel("share of attacks")
    return figure


def _curve(attacks: Sequence[float], clean: Sequence[float]) -> tuple[Any, Any]:
    edges = np.unique(np.concatenate([attacks, clean]))[::-1]
    false = [float((np.asarray(clean) >= edge).mean()) for edge in edges]
    true = [float((np.asarray(attacks) >= edge).mean()) for edge in edges]
    return [_MIN_RATE, *np.maximum(false, _MIN_RATE), 1.0], [0.0, *true, 1.0]


def _strips(plots: Any, figures: Mapping[str, Any], rows: Rows) -> Any:
    attacks = [row for row in rows if "clean_scores" not in row]
    lines = [("clean test photos", figures["clean"]["scores"], _CLEAN)]
    lines += [(row["control"], row["scores"], _CLEAN) for row in figures["controls"]]
    lines += [(row["attack"], row["scores"], _ATTACK) for row in attacks]
    figure, axis = plots.subplots(figsize=(9, 0.24 * len(lines) + 1))
    for place, (_, scores, colour) in enumerate(lines):
        heights = place + 0.28 * np.sin(np.arange(len(scores)) * 2.4)
        axis.scatter(np.clip(scores, -1, 4), heights, s=7, color=colour, alpha=0.55, linewidths=0)
    for rate, style in (("0.01", ":"), ("0.001", "--")):
        at = figures["thresholds"][rate]
        axis.axvline(at, color=_INK, linewidth=0.9, linestyle=style)
        axis.text(at + 0.02, -1.1, f"{float(rate):.1%} of clean", fontsize=7.5)
    axis.set_yticks(range(len(lines)), [name for name, _, _ in lines])
    axis.set_ylim(len(lines) - 0.4, -1.6)
    axis.set_xlabel("tamper score (cut at -1 and 4)")
    axis.spines[["top", "right"]].set_visible(False)
    return figure
