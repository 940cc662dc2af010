from pathlib import Path

import pytest

from bench.outliers.kept_figures import KeptFigures, Numbers


def stop() -> Numbers:
    raise InterruptedError


def test_a_step_is_measured_once_in_all_runs_that_keep_it(tmp_path: Path) -> None:
    assert KeptFigures(tmp_path).measure("auroc/one", lambda: {"auroc": 0.5}) == {"auroc": 0.5}
    assert KeptFigures(tmp_path).measure("auroc/one", stop) == {"auroc": 0.5}


def test_a_step_that_was_stopped_is_measured_again(tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        KeptFigures(tmp_path).measure("auroc/one", stop)
    assert KeptFigures(tmp_path).measure("auroc/one", lambda: {"auroc": 0.7}) == {"auroc": 0.7}


def test_without_a_folder_nothing_is_kept() -> None:
    kept = KeptFigures()
    assert kept.measure("auroc/one", lambda: {"auroc": 0.5}) == {"auroc": 0.5}
    assert kept.measure("auroc/one", lambda: {"auroc": 0.7}) == {"auroc": 0.7}
