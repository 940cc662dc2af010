"""``python -m bench outliers``: its parts, the fast ones first."""

import json
from collections.abc import Callable, Collection, Mapping
from os import getloadavg
from pathlib import Path

from rich.console import Console

from bench.outliers.discoveries import measure_discoveries
from bench.outliers.engines import measure_engines
from bench.outliers.kept_figures import KeptFigures
from bench.outliers.million import measure_million
from bench.outliers.poison import measure_poison
from bench.outliers.ranking import Tables, measure_ranking
from bench.outliers.retraining import measure_retraining
from bench.outliers.speed import measure_speed
from detectors.errors import MaskwatchError

Part = Callable[[], Mapping[str, object]]


class UnknownPart(MaskwatchError):
    """There is no part of that name."""


def measure_outliers(
    tables: Tables,
    out: Path,
    only: Collection[str] = (),
    kept: KeptFigures | None = None,
    worlds: int = 1,
) -> None:
    """Measure and publish; what is measured is written after each part.

    Args:
        kept: where the long parts keep what is measured, step by step.
        worlds: in so many is each poison tried.

    Raises:
        NoTables: the folder holds no tables.
        NoPeers: PyOD is missing.
        UnknownPart: ``only`` names something else than a part.
    """
    kept = kept or KeptFigures()
    parts: dict[str, Part] = {
        "speed": measure_speed,
        "retrain": measure_retraining,
        "fdr": lambda: {"fdr": measure_discoveries()},
        "poison": lambda: measure_poison(kept, worlds),
        "scan": measure_million,
        "engines": measure_engines,
        "auroc": lambda: {**measure_ranking(tables, kept), "splits": tables.splits},
    }
    if unknown := sorted(set(only) - parts.keys()):
        raise UnknownPart(f"There is no part {unknown[0]!r}; the parts are {', '.join(parts)}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    figures: dict[str, object] = {}
    for name, part in parts.items():
        if not only or name in only:
            news = {**part(), f"load_after_{name}": getloadavg()[0]}
            figures |= news
            Console().print_json(data=news)
            out.write_text(f"{json.dumps(figures, indent=2)}\n", encoding="utf-8")
