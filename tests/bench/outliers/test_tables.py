from pathlib import Path

import numpy as np

from bench.outliers.tables import split_tables


def write_table(folder: Path) -> None:
    rows = np.arange(240, dtype=np.float64).reshape(120, 2)
    np.savez(folder / "made_up.npz", X=rows, y=np.arange(120) < 20)


def test_half_of_the_normal_rows_is_trained_on_and_no_row_is_on_both_sides(tmp_path: Path) -> None:
    write_table(tmp_path)
    (split,) = split_tables(tmp_path, 0)
    assert (len(split.train), len(split.test), split.anomalous.sum()) == (50, 70, 20)
    assert not set(split.train[:, 0]) & set(split.test[:, 0])


def test_no_more_rows_of_a_kind_are_taken_than_asked_for(tmp_path: Path) -> None:
    write_table(tmp_path)
    (split,) = split_tables(tmp_path, 0, contamination=0.1, most=18)
    assert len(split.train) == 20
    assert (len(split.test), split.anomalous.sum()) == (34, 16)
