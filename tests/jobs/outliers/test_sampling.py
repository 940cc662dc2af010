"""What a challenger learns from, apart from the database."""

import numpy as np
import pytest

from detectors.outliers.cutoff import describe_cutoff
from detectors.outliers.kinds import OutlierKind
from jobs.outliers.sampling import make_sample, train
from store.requests.record_store import FeatureMatrix

NAMES = ("first", "second", "third")


def make_matrix(rows: np.ndarray) -> FeatureMatrix:
    count = len(rows)
    return FeatureMatrix(tuple(range(count)), ("",) * count, NAMES, rows, (None,) * count)


@pytest.mark.parametrize(("rows", "joined"), [(60, 0), (98, 0), (99, 1), (400, 4)])
def test_no_p_value_is_below_the_cutoff_that_a_small_model_has(rows: int, joined: int) -> None:
    random = np.random.default_rng(4)
    clean = make_matrix(random.normal(size=(rows, 3)))
    outliers = make_matrix(random.normal(size=(20, 3)) + 9)
    sample = make_sample(clean, outliers, 0.01)
    model = train(sample, OutlierKind.NEAREST_NEIGHBOURS)
    assert len(model.calibration) == len(sample.clean.rows) + joined
    least = model.p_values(np.array([np.inf]))[0]
    if rows < 99:
        assert describe_cutoff(0.01, rows).endswith(f"gives no p-value below 1/{rows + 1}")
        assert least == 1 / (rows + 1)
    else:
        assert least <= 0.01
