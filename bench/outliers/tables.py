"""Tables with labelled anomalies, split as the product learns: from normal rows alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from detectors.errors import MaskwatchError
from detectors.outliers.preparation import Matrix


class NoTables(MaskwatchError):
    """A folder without tables."""


@dataclass(frozen=True, eq=False)
class Split:
    """One split of one table.

    Attributes:
        train: half of the normal rows, ``(n, features)``.
        test: the other half and all anomalies.
        anomalous: which test rows are anomalies.
    """

    table: str
    train: Matrix
    test: Matrix
    anomalous: npt.NDArray[np.bool_]


def splits_of(folder: Path, count: int) -> Iterator[Split]:
    """Split each ``.npz`` of ``X`` and ``y`` so many times; the numbers of the splits are seeds.

    Raises:
        NoTables: there are none.
    """
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise NoTables(f"{folder} holds no .npz tables: say where they are with --data.")
    for file in files:
        with np.load(file, allow_pickle=False) as table:
            rows, labels = table["X"].astype(np.float64), table["y"].ravel() > 0
        for seed in range(count):
            yield _split(file.stem, rows, labels, seed)


def _split(name: str, rows: Matrix, labels: npt.NDArray[np.bool_], seed: int) -> Split:
    normal = np.random.default_rng(seed).permutation(np.flatnonzero(~labels))
    half = len(normal) // 2
    test = np.concatenate([normal[half:], np.flatnonzero(labels)])
    return Split(name, rows[normal[:half]], rows[test], labels[test])
