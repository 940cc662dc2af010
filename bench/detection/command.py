"""``python -m bench detection``: the table of the protocol, through the public entry point."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from bench.detection.attacks import ADAPTIVE, ATTACKS
from bench.detection.attacks.base import Attack
from bench.detection.fairness import fairness_figures
from bench.detection.measure import (
    Watch,
    adaptive_rows,
    attack_rows,
    clean_figures,
    control_rows,
    judges,
    progress_bar,
)
from bench.detection.observe import observer
from bench.detection.pictures.cache import Cache, write
from bench.detection.pictures.workshop import Workshop
from bench.detection.plan import Plan
from bench.detection.probing.command import probing_figures
from bench.detection.trigger.command import trigger_figures
from bench.detection.trigger.poison import Target
from bench.report import rows_table
from inference.ensemble.baselines import SHIPPED, read_baseline
from inference.machine.allocator import keep_pages
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

_QUICK = ("pgd_e2", "remove_face_e4", "patch")
_QUICK_PICTURES, _QUICK_CONTROLS, _QUICK_EVERY = 4, 2, 8
_SEQUENCES, _FOR_PEER = 20, 3
# What the table does not ask for is measured, but not in the table.
_ASIDE = {"remove_hands_e2", "remove_person_e8", "remove_face_e8"}
_MAIN = tuple(name for name in ATTACKS if name not in _ASIDE)
_COLUMNS = (
    *("attack", "n", "auroc", "tpr_1pct", "tpr_01pct", "ci_low", "ci_high"),
    *("best_peer", "best_peer_tpr_1pct", "extra_forwards", "extra_ms"),
)
_CONTROL_COLUMNS = ("control", "n", "fpr", "fpr_default", "named_by_another_rule")


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
    figures = _measure(options)
    Console(width=150).print(
        rows_table("Detection, successful attacks", figures["rows"], _COLUMNS),
        rows_table("Harmless pictures", figures["controls"], _CONTROL_COLUMNS),
    )
    write(out, (json.dumps(figures, indent=1) + "\n").encode())


def _measure(options: Options) -> dict[str, Any]:
    baseline, plan = read_baseline(SHIPPED), options.plan
    segmenter = TorchSegmenter.load(DEFAULT_WEIGHTS)
    workshop = Workshop(segmenter, Cache(options.cache), plan.data)
    with observer(options.cache) as watcher, progress_bar() as progress:
        watch = Watch(watcher, progress)
        panel = judges(watch, plan, baseline)
        figures = {
            "segmenter": segmenter.digest,
            **clean_figures(panel),
            "thresholds": {str(rate): baseline.threshold(rate) for rate in (0.01, 0.005, 0.001)},
            "rows": attack_rows(watch, workshop, plan, panel, _attacks(options)),
            "controls": control_rows(watch, plan, panel),
        }
        if not options.quick:
            figures["fairness"] = fairness_figures(watch, plan.data, panel, segmenter)
            adaptive = list(ADAPTIVE.values())
            figures["adaptive"] = adaptive_rows(watch, workshop, plan, panel, adaptive)
    return (
        figures
        if options.quick or options.only
        else figures | _measure_rest(options, figures["rows"])
    )


def _measure_rest(options: Options, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What has models or services of its own: triggers and searches with answers alone."""
    data, cache = options.plan.data, options.cache
    trigger = recall_figures(cache, "trigger", lambda: trigger_figures(data, cache, Target.PERSON))
    probing = recall_figures(
        cache, "probing", lambda: probing_figures(data / "parsing", _SEQUENCES, _FOR_PEER, "test")
    )
    return {"rows": [*rows, trigger["row"]], "patch_list": trigger["patch_list"], **probing}


def recall_figures(cache: Path, name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A part of the figures; computed once for each state of the code it comes from."""
    path = cache / "parts" / f"{name}-{code_digest()}.json"
    if path.is_file():
        figures: dict[str, Any] = json.loads(path.read_text())
        return figures
    result = compute()
    write(path, json.dumps(result).encode())
    return result


def code_digest() -> str:
    """Hash over all code that could change a figure, short."""
    root = Path(__file__).parents[2]
    sources = [
        path.read_bytes()
        for folder in ("detectors", "inference", "bench/detection")
        for path in sorted((root / folder).rglob("*.py"))
    ]
    return sha256(b"".join(sources)).hexdigest()[:16]


def _attacks(options: Options) -> list[Attack]:
    names = options.only or (_QUICK if options.quick else _MAIN)
    return [ATTACKS[name] for name in names]


def quick(plan: Plan) -> Plan:
    """The plan of a few minutes: few photos of every kind, so that rates are rough."""
    return replace(plan, pictures=_QUICK_PICTURES, controls=_QUICK_CONTROLS, every=_QUICK_EVERY)
