"""``python -m bench detection``: the table of the protocol, through the public entry point."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from bench.detection.attacks import ATTACKS
from bench.detection.attacks.base import Attack
from bench.detection.cache import Cache, write
from bench.detection.measure import (
    Plan,
    Watch,
    attack_rows,
    clean_figures,
    control_rows,
    judges,
    progress_bar,
)
from bench.detection.observe import observer
from bench.detection.workshop import Workshop
from inference.allocator import keep_pages
from inference.ensemble.baselines import SHIPPED, read_baseline
from inference.segmenters.reference.segmenter import DEFAULT_WEIGHTS, ReferenceSegmenter

_QUICK = ("pgd_e2", "remove_face_e4", "patch")
_QUICK_PICTURES = 4
# What the table does not ask for is measured, but not in the table.
_MAIN = tuple(name for name in ATTACKS if name != "remove_person_e8")
_COLUMNS = (
    *("attack", "n", "auroc", "tpr_1pct", "tpr_01pct", "ci_low", "ci_high"),
    *("best_peer", "best_peer_tpr_1pct", "extra_forwards", "extra_ms"),
)


@dataclass(frozen=True)
class Options:
    """What is asked for on the command line.

    Attributes:
        quick: three attacks on four photos.
        only: names of attacks; all if empty.
    """

    plan: Plan
    cache: Path
    quick: bool = False
    only: Sequence[str] = ()


def measure_detection(options: Options, out: Path) -> None:
    """Measure, print the table and write all figures.

    Raises:
        MaskwatchError: photos, a library or the baseline is missing.
    """
    torch.set_num_threads(1 if not options.quick else torch.get_num_threads())
    keep_pages()
    figures = _measured(options)
    Console(width=150).print(_table(figures["rows"]), _controls(figures["controls"]))
    write(out, (json.dumps(figures, indent=1) + "\n").encode())


def _measured(options: Options) -> dict[str, Any]:
    baseline = read_baseline(SHIPPED)
    segmenter = ReferenceSegmenter.load(DEFAULT_WEIGHTS)
    workshop = Workshop(segmenter, Cache(options.cache), options.plan.data)
    with observer(options.cache) as watching, progress_bar() as progress:
        watch = Watch(watching, progress)
        judged = judges(watch, options.plan, baseline)
        return {
            "segmenter": segmenter.digest,
            **clean_figures(judged),
            "thresholds": {str(rate): baseline.threshold(rate) for rate in (0.01, 0.005, 0.001)},
            "rows": attack_rows(watch, workshop, options.plan, judged, _attacks(options)),
            "controls": control_rows(watch, options.plan, judged),
        }


def _attacks(options: Options) -> list[Attack]:
    names = options.only or (_QUICK if options.quick else _MAIN)
    return [ATTACKS[name] for name in names]


def quick(plan: Plan) -> Plan:
    """The plan of two minutes."""
    return Plan(plan.data, plan.test_list, _QUICK_PICTURES, _QUICK_PICTURES)


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    return _drawn("Detection, successful attacks", _COLUMNS, rows)


def _controls(rows: Sequence[dict[str, Any]]) -> Table:
    columns = ["control", "n", "fpr", "fpr_default", "named_by_another_rule"]
    return _drawn("Harmless pictures", columns, rows)


def _drawn(title: str, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(*names, title=title)
    for row in rows:
        table.add_row(*(_shown(row[name]) for name in names))
    return table


def _shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
