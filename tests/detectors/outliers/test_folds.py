"""The folds are those of scikit-learn."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from detectors.outliers.base import folds


@pytest.mark.parametrize("rows", [30, 31, 34, 57, 400])
def test_the_folds_are_those_of_scikit_learn(rows: int) -> None:
    peer = KFold(5, shuffle=True, random_state=rows).split(np.empty((rows, 1)))
    for ours, theirs in zip(folds(rows, seed=rows), peer, strict=True):
        assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]
