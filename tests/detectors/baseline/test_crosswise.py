"""A baseline that all its pictures calibrate, each scored by lines that were fitted to others."""

from dataclasses import replace
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.baseline.baseline_fit import MAX_TAIL, Fold, bound_tail, learn, learn_crosswise
from detectors.baseline.baseline_text import from_json, to_json
from tests.detectors.baseline.clean_rows import Row, make_rows

DIGEST = "0" * 64


def _folds(rows: list[Row]) -> list[Fold]:
    parts = [rows[place::4] for place in range(4)]
    return [
        Fold([row for other in parts if other is not part for row in other], part) for part in parts
    ]


def test_fewer_may_be_looked_at_again_and_the_tenth_is_still_known() -> None:
    rows = make_rows(2, 800)
    sparing = learn_crosswise(DIGEST, _folds(rows), rows, (), 0.04)
    assert sparing.tenth < sparing.look_again
    first = [sparing.score(row, first_look=True).value for row in make_rows(3, 1500)]
    assert sum(score >= sparing.look_again for score in first) / len(first) <= 0.07
    assert sum(score >= sparing.tenth for score in first) / len(first) == pytest.approx(
        0.1, abs=0.03
    )
    usual = learn_crosswise(DIGEST, _folds(rows), rows, (), 0.5)
    assert usual.look_again == usual.tenth == sparing.tenth
    assert from_json(to_json(sparing)) == sparing


def test_pictures_are_scored_by_lines_that_did_not_see_them() -> None:
    rows = make_rows(2, 400)
    folds = _folds(rows)
    baseline = learn_crosswise(DIGEST, folds, rows, (), 0.04)
    scores = [
        lines.cascade(row).value
        for fold in folds
        for lines in [
            replace(learn(DIGEST, fold.fit, fold.calibrate), look_again=baseline.look_again)
        ]
        for row in fold.calibrate
    ]
    assert baseline.scores == pytest.approx(sorted(bound_tail(np.array(scores))))
    assert baseline.expectations == learn(DIGEST, rows, rows).expectations


def test_a_tail_that_the_middle_allows_stays_as_it_is() -> None:
    scores = np.linspace(0.0, 1.0, 200)
    assert bound_tail(scores).tolist() == scores.tolist()
    assert bound_tail(np.ones(50)).tolist() == [1.0] * 50


@given(st.floats(1.0, 1e6), st.integers(1, 18))
def test_few_pictures_stretch_the_tail_no_further_than_the_middle_allows(
    height: float, count: int
) -> None:
    scores = np.linspace(0.0, 1.0, 200)
    scores[-count:] *= height
    bounded = bound_tail(scores)
    assert np.array_equal(bounded[:180], scores[:180])
    assert np.all(np.diff(bounded) >= 0)
    low, high, start = np.quantile(scores, (0.25, 0.75, 0.9))
    assert (bounded[bounded > start] - start).mean() <= MAX_TAIL * (high - low) * (1 + 1e-9)


def test_a_line_of_all_pictures_wanders_less_than_one_of_half_of_them() -> None:
    halves, crosswise = [], []
    for seed in range(30, 50):
        rows = make_rows(seed, 240)
        halves.append(learn(DIGEST, rows[::2], rows[1::2]).threshold(0.005))
        crosswise.append(learn_crosswise(DIGEST, _folds(rows), rows, (), 0.04).threshold(0.005))
    assert stdev(crosswise) < 0.8 * stdev(halves)
