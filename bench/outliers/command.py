"""``python -m bench outliers``."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.outliers.contenders import fit_model, peers
from bench.outliers.speed import measure_speed
from bench.outliers.tables import Split, splits_of
from bench.report import Figures, publish
from detectors.outliers.kinds import OutlierKind

# The rate of false alarms that the p-values promise.
_PROMISED = 0.01
Numbers = dict[str, dict[str, list[float]]]


def measure_outliers(folder: Path, out: Path, splits: int) -> None:
    """Measure and publish.

    Raises:
        NoTables: the folder holds no tables.
        NoPeers: PyOD is missing.
    """
    numbers: Numbers = defaultdict(lambda: defaultdict(list))
    contenders = peers()
    for number, split in enumerate(splits_of(folder, splits)):
        seed = number % splits
        for kind in OutlierKind:
            model = fit_model(kind, split, seed)
            scores = model.score(split.test)
            _note(numbers, split, kind.value, scores)
            alarms = model.p_values(scores[~split.anomalous]) <= _PROMISED
            numbers["false_alarms_at_0.01"][kind.value].append(float(alarms.mean()))
        for name, contender in contenders.items():
            _note(numbers, split, name, contender(split, seed))
    publish("Outlier models", _figures(numbers, splits), out)


def _note(numbers: Numbers, split: Split, name: str, scores: np.ndarray) -> None:
    auroc = float(roc_auc_score(split.anomalous, scores))
    precision = float(average_precision_score(split.anomalous, scores))
    for group, value in (("auroc", auroc), ("average_precision", precision)):
        numbers[group][name].append(value)
        numbers[f"{group} {split.table}"][name].append(value)


def _figures(numbers: Numbers, splits: int) -> Figures:
    means: dict[str, Mapping[str, float]] = {
        group: {name: float(np.mean(values)) for name, values in numbers[group].items()}
        for group in sorted(numbers, key=lambda group: (" " in group, group))
    }
    return {**means, **measure_speed(), "splits": splits}
