"""How well models rank anomalies above normal rows, against PyOD's detectors on the same splits."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.outliers.contenders import Contender, fit_model, peers
from bench.outliers.kept_figures import KeptFigures, Numbers
from bench.outliers.tables import Split, splits_of
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.preparation import Vector

CONTAMINATIONS = {"clean": 0.0, "contaminated_5": 0.05, "contaminated_10": 0.10}
# Without features that attacks raise, `excess` ranks as its forest does.
_KINDS = tuple(kind for kind in OutlierKind if kind is not OutlierKind.EXCESS)
# The rate of false alarms that the p-values promise.
_PROMISED = 0.01
Judge = Callable[[Split, int], Numbers]
Lists = dict[str, dict[str, list[float]]]
Means = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Tables:
    """What is ranked.

    Attributes:
        splits: how often each table is split.
        most: rows that are taken of a table; see :func:`bench.outliers.tables.splits_of`.
    """

    folder: Path
    splits: int
    most: int | None = None


def measure_ranking(tables: Tables, kept: KeptFigures) -> dict[str, Means]:
    """Means over tables and splits: ``auroc`` by contamination, and by table.

    Raises:
        NoTables: the folder holds no tables.
        NoPeers: PyOD is missing.
    """
    auroc: dict[str, Mapping[str, float]] = {}
    figures: dict[str, Means] = {}
    judges = _list_judges()
    for name in CONTAMINATIONS:
        means = _measure_share(tables, name, judges, kept)
        auroc[name] = means.pop("auroc")
        figures[f"ranking_{name}"] = means
    return {"auroc": auroc, **figures}


def _list_judges() -> dict[str, Judge]:
    ours = {kind.value: partial(_judge_ours, kind) for kind in _KINDS}
    return {**ours, **{name: partial(_judge_peer, peer) for name, peer in peers().items()}}


def _judge_ours(kind: OutlierKind, split: Split, seed: int) -> Numbers:
    model = fit_model(kind, split, seed)
    scores = model.score(split.test)
    alarms = model.p_values(scores[~split.anomalous]) <= _PROMISED
    return {**_judge_scores(split, scores), "false_alarms_at_0.01": float(alarms.mean())}


def _judge_peer(peer: Contender, split: Split, seed: int) -> Numbers:
    return _judge_scores(split, peer(split, seed))


def _judge_scores(split: Split, scores: Vector) -> dict[str, float]:
    return {
        "auroc": float(roc_auc_score(split.anomalous, scores)),
        "average_precision": float(average_precision_score(split.anomalous, scores)),
    }


def _measure_share(
    tables: Tables, name: str, judges: Mapping[str, Judge], kept: KeptFigures
) -> dict[str, Mapping[str, float]]:
    lists: Lists = defaultdict(lambda: defaultdict(list))
    splits = splits_of(tables.folder, tables.splits, CONTAMINATIONS[name], tables.most)
    for number, split in enumerate(splits):
        seed = number % tables.splits
        for contender, judge in judges.items():
            step = f"auroc/{name}/{split.table}/{seed}/{contender}"
            _note(lists, split, contender, kept.measure(step, partial(judge, split, seed)))
        lists["contamination"]["mean"].append(split.contamination)
    return _means(lists)


def _note(lists: Lists, split: Split, contender: str, numbers: Numbers) -> None:
    for group, value in numbers.items():
        lists[group][contender].append(value)
        lists[f"{group} {split.table}"][contender].append(value)


def _means(lists: Lists) -> dict[str, Mapping[str, float]]:
    return {
        group: {name: float(np.mean(values)) for name, values in lists[group].items()}
        for group in sorted(lists, key=lambda group: (" " in group, group))
    }
