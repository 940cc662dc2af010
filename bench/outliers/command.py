"""``python -m bench outliers``: its parts, the fast ones first."""

import json
from collections.abc import Callable, Collection, Mapping
from os import getloadavg
from pathlib import Path

from rich.console import Console

from bench.outliers.discoveries import measure_discoveries
from bench.outliers.million import measure_million
from bench.outliers.poison import measure_poison
from bench.outliers.ranking import measure_ranking
from bench.outliers.retraining import measure_retraining
from bench.outliers.speed import measure_speed
from detectors.errors import MaskwatchError

Part = Callable[[], Mapping[str, object]]


class UnknownPart(MaskwatchError):
    """There is no part of that name."""


def measure_outliers(
    folder: Path, out: Path, splits: int, only: Collection[str] = (), most: int | None = None
) -> None:
    """Measure and publish; what is measured is written after each part.

    Args:
        most: rows of each kind that are taken of a table; all without it.

    Raises:
        NoTables: the folder holds no tables.
        NoPeers: PyOD is missing.
        UnknownPart: ``only`` names something else than a part.
    """
    parts: dict[str, Part] = {
        "speed": measure_speed,
        "retrain": measure_retraining,
        "fdr": lambda: {"fdr": measure_discoveries()},
        "poison": measure_poison,
        "scan": measure_million,
        "auroc": lambda: {**measure_ranking(folder, splits, most), "splits": splits},
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
