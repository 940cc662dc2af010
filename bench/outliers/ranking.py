"""How well models rank anomalies above normal rows, against PyOD's detectors on the same splits."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.outliers.contenders import fit_model, peers
from bench.outliers.tables import Split, splits_of
from detectors.outliers.kinds import OutlierKind

CONTAMINATIONS = {"clean": 0.0, "contaminated_5": 0.05, "contaminated_10": 0.10}
# Without features that attacks raise, `excess` ranks as its forest does.
_KINDS = tuple(kind for kind in OutlierKind if kind is not OutlierKind.EXCESS)
# The rate of false alarms that the p-values promise.
_PROMISED = 0.01
Numbers = dict[str, dict[str, list[float]]]
Means = Mapping[str, Mapping[str, float]]


def measure_ranking(folder: Path, splits: int, most: int | None = None) -> dict[str, Means]:
    """Means over tables and splits: ``auroc`` by contamination, and by table.

    Args:
        most: rows that are taken of a table; see :func:`bench.outliers.tables.splits_of`.

    Raises:
        NoTables: the folder holds no tables.
        NoPeers: PyOD is missing.
    """
    auroc: dict[str, Mapping[str, float]] = {}
    figures: dict[str, Means] = {}
    contenders = peers()
    for name, share in CONTAMINATIONS.items():
        numbers: Numbers = defaultdict(lambda: defaultdict(list))
        for number, split in enumerate(splits_of(folder, splits, share, most)):
            seed = number % splits
            for kind in _KINDS:
                _judge_ours(numbers, split, kind, seed)
            for peer, contender in contenders.items():
                _note(numbers, split, peer, contender(split, seed))
            numbers["contamination"]["mean"].append(split.contamination)
        means = _means(numbers)
        auroc[name] = means.pop("auroc")
        figures[f"ranking_{name}"] = means
    return {"auroc": auroc, **figures}


def _judge_ours(numbers: Numbers, split: Split, kind: OutlierKind, seed: int) -> None:
    model = fit_model(kind, split, seed)
    scores = model.score(split.test)
    _note(numbers, split, kind.value, scores)
    alarms = model.p_values(scores[~split.anomalous]) <= _PROMISED
    numbers["false_alarms_at_0.01"][kind.value].append(float(alarms.mean()))


def _note(numbers: Numbers, split: Split, name: str, scores: np.ndarray) -> None:
    auroc = float(roc_auc_score(split.anomalous, scores))
    precision = float(average_precision_score(split.anomalous, scores))
    for group, value in (("auroc", auroc), ("average_precision", precision)):
        numbers[group][name].append(value)
        numbers[f"{group} {split.table}"][name].append(value)


def _means(numbers: Numbers) -> dict[str, Mapping[str, float]]:
    return {
        group: {name: float(np.mean(values)) for name, values in numbers[group].items()}
        for group in sorted(numbers, key=lambda group: (" " in group, group))
    }
