"""Tables with labelled anomalies, split as the product learns: mostly from normal rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from detectors.errors import MaskwatchError
from detectors.outliers.preparation import Matrix

Indices = npt.NDArray[np.intp]
# At most this share of a table's anomalies is trained on; the others are the test.
_MOST_TRAINED = 0.5


class NoTables(MaskwatchError):
    """A folder without tables."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows ``(n, features)`` and which of them are anomalies."""

    name: str
    rows: Matrix
    labels: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Split:
    """One split of one table.

    Attributes:
        train: half of the normal rows, and anomalies if it is contaminated, ``(n, features)``.
        test: the other half and all anomalies that were not trained on.
        anomalous: which test rows are anomalies.
        contamination: share of anomalies in ``train``.
    """

    table: str
    train: Matrix
    test: Matrix
    anomalous: npt.NDArray[np.bool_]
    contamination: float


def split_tables(
    folder: Path, seed: int, contamination: float = 0.0, most: int | None = None
) -> Iterator[Split]:
    """Split each ``.npz`` of ``X`` and ``y`` at random.

    Args:
        contamination: share of anomalies in the training rows; less where a table has too few.
        most: normal rows to train on, normal rows to test on, and anomalies: no more of each.

    Raises:
        NoTables: there are none.
    """
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise NoTables(f"{folder} holds no .npz tables: say where they are with --data.")
    for file in files:
        with np.load(file, allow_pickle=False) as table:
            rows, labels = table["X"].astype(np.float64), table["y"].ravel() > 0
        random = np.random.default_rng(seed)
        normal = random.permutation(np.flatnonzero(~labels))[: most and 2 * most]
        anomalies = random.permutation(np.flatnonzero(labels))[:most]
        yield _split(Table(file.stem, rows, labels), normal, anomalies, contamination)


def _split(table: Table, normal: Indices, anomalies: Indices, contamination: float) -> Split:
    half = len(normal) // 2
    wanted = round(half * contamination / (1 - contamination))
    trained = min(wanted, int(_MOST_TRAINED * len(anomalies)))
    train = np.concatenate([normal[:half], anomalies[:trained]])
    test = np.concatenate([normal[half:], anomalies[trained:]])
    return Split(
        table.name, table.rows[train], table.rows[test], table.labels[test], trained / len(train)
    )
