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
from bench.outliers.tables import Split, split_tables
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
        splits: how often each table is split; their numbers are seeds.
        most: rows that are taken of a table; see :func:`bench.outliers.tables.split_tables`.
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
    judges, lists = _list_judges(), {name: _new_lists() for name in CONTAMINATIONS}
    # Split by split: what a run that was stopped has kept is of all tables.
    for seed in range(tables.splits):
        for name in CONTAMINATIONS:
            _Round(name, seed).measure(lists[name], tables, judges, kept)
    means = {name: _means(each) for name, each in lists.items()}
    auroc = {name: each.pop("auroc") for name, each in means.items()}
    return {"auroc": auroc, **{f"ranking_{name}": each for name, each in means.items()}}


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


@dataclass(frozen=True)
class _Round:
    """All tables, split with one seed at one contamination."""

    contamination: str
    seed: int

    def measure(
        self, lists: Lists, tables: Tables, judges: Mapping[str, Judge], kept: KeptFigures
    ) -> None:
        share = CONTAMINATIONS[self.contamination]
        for split in split_tables(tables.folder, self.seed, share, tables.most):
            lists["contamination"]["mean"].append(split.contamination)
            for contender, judge in judges.items():
                step = f"auroc/{self.contamination}/{split.table}/{self.seed}/{contender}"
                numbers = kept.measure(step, partial(judge, split, self.seed))
                _note(lists, split, contender, numbers)


def _new_lists() -> Lists:
    return defaultdict(lambda: defaultdict(list))


def _note(lists: Lists, split: Split, contender: str, numbers: Numbers) -> None:
    for group, value in numbers.items():
        lists[group][contender].append(value)
        lists[f"{group} {split.table}"][contender].append(value)


def _means(lists: Lists) -> dict[str, Mapping[str, float]]:
    return {
        group: {name: float(np.mean(values)) for name, values in lists[group].items()}
        for group in sorted(lists, key=lambda group: (" " in group, group))
    }
