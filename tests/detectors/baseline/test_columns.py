"""Many pictures at once are judged as each of them alone."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline.baseline_fit import learn
from detectors.baseline.columns import Columns, cascade_columns, measure_excesses, score_columns
from tests.detectors.baseline.clean_rows import Row, make_rows

BASELINE = learn("0" * 64, make_rows(1, 60), make_rows(2, 60))
NAMES = tuple(make_rows(1, 1)[0])
VALUES = st.floats(0, 50) | st.sampled_from([0.0, nan, inf, -1.0])
ROWS = st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES), max_size=5)


@given(ROWS)
def test_each_picture_gets_the_score_that_it_gets_alone(some: list[Row]) -> None:
    rows = [*some, *make_rows(3, 3)]
    columns = Columns(rows)
    first = [BASELINE.score(row, first_look=True).value for row in rows]
    final = [BASELINE.cascade(row).value for row in rows]
    assert score_columns(BASELINE, columns, first_look=True) == pytest.approx(first, nan_ok=True)
    assert cascade_columns(BASELINE, columns) == pytest.approx(final, nan_ok=True)
    for each in BASELINE.expectations:
        alone = [each.excess(row) for row in rows]
        assert measure_excesses(each, columns) == pytest.approx(alone, nan_ok=True)


def test_no_pictures_get_no_scores() -> None:
    assert np.array_equal(cascade_columns(BASELINE, Columns([])), [])
