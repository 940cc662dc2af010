"""What attacks raise, beyond what the rest of a row explains."""

from collections.abc import Callable
from hashlib import sha256
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from detectors.outliers.base import OutlierModelError
from detectors.outliers.excess.scorer import ExcessScorer
from detectors.outliers.excess.signs import COUNTS, SIGNS, Places
from detectors.outliers.excess.surprises import Surprises
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.outliers.preparation import Matrix, Vector
from detectors.registry import FITTED_NAMES

NAMES = ("glance_entropy", "jpeg_blockiness", "glance_tile_divergence", "probing_score", "width")


def draw_rows(count: int, seed: int) -> Matrix:
    """The look moves with the entropy of the parse; one request in a hundred is sent twice."""
    random = np.random.default_rng(seed)
    entropy, blocks = random.uniform(0.2, 1.6, count), random.uniform(1.0, 2.0, count)
    look = 0.002 * entropy**2 * random.lognormal(0.0, 0.5, count)
    queries = (random.random(count) < 0.01).astype(np.float64)
    return np.column_stack([entropy, blocks, look, queries, random.normal(500.0, 50.0, count)])


def learn(rows: Matrix) -> Surprises:
    return Surprises.among(rows, Places.among(NAMES, rows))


def find_largest(signs: Surprises, rows: Matrix) -> Vector:
    return np.asarray(np.max(signs.of(rows), axis=0))


def test_all_signs_are_learnt_from() -> None:
    named = {
        name for sign in SIGNS for part in sign.parts for name in part.factors + part.predictors
    }
    assert named | {*COUNTS} <= {*FITTED_NAMES}


def test_what_the_parse_explains_is_no_surprise_and_the_same_elsewhere_is() -> None:
    signs = learn(draw_rows(2_000, seed=1))
    sure, unsure = find_largest(
        signs, np.array([[0.2, 1.5, 0.005, 0, 500], [1.6, 1.5, 0.005, 0, 500]])
    )
    assert sure > 8
    assert unsure < 3


def test_less_than_expected_and_what_was_not_measured_surprise_nobody() -> None:
    signs = learn(draw_rows(2_000, seed=1))
    rows = np.array([[1.0, 1.5, 0.0, 0, 500], [1.0, 1.5, nan, nan, 500], [nan] * 5])
    assert find_largest(signs, rows).tolist() == [0.0, 0.0, 0.0]


def test_a_count_that_clean_rows_seldom_have_is_as_surprising_as_it_is_rare() -> None:
    signs = learn(draw_rows(2_000, seed=2))
    rows = np.array([[1.0, 1.5, 0.001, count, 500] for count in (0, 1, 2, 6)])
    none, one, two, six = find_largest(signs, rows)
    assert none < 3
    assert 4.5 < one < 7 < six
    assert one < two < six


def test_what_one_clean_row_alone_had_is_not_beyond_all_doubt() -> None:
    rows = draw_rows(600, seed=2)
    rows[:, 3] = 0
    rows[161, 3] = 1
    fit = ExcessScorer.fit(rows, 7, NAMES)
    # The fold that scores it knows 480 rows without any, and that is all that it knows.
    assert np.log(480) < fit.held_out_scores[161] < np.log(480) + 2
    query = np.array([[0.8, 1.5, 0.001, steps, 500] for steps in (1, 6)])
    assert np.diff(fit.scorer.score(query)) > 1


def test_surprises_of_clean_rows_are_as_rare_as_they_say() -> None:
    surprises = find_largest(learn(draw_rows(2_000, seed=3)), draw_rows(20_000, seed=4))
    # Two signs, each of which exceeds s nats in one row of exp(s).
    assert (surprises > 4).mean() <= 3 * np.exp(-4)


def test_a_sign_that_too_few_rows_have_says_nothing() -> None:
    rows = draw_rows(400, seed=5)
    rows[29:, 2:4] = nan
    assert learn(rows).of(np.array([[0.2, 1.5, 0.6, 9, 500]])) == []


def test_attacks_that_show_in_one_look_are_found() -> None:
    model = OutlierModel.fit(OutlierKind.EXCESS, draw_rows(999, seed=6), NAMES, seed=7)
    attacks = draw_rows(20, seed=7)
    attacks[:, 2] = 0.3
    assert (model.p_values(model.score(attacks)) <= 0.002).mean() >= 0.9
    assert all("glance_tile_divergence" in model.contributions(row) for row in attacks)


def test_scores_depend_on_their_own_row_alone_and_survive_an_archive() -> None:
    rows = np.random.default_rng(8).lognormal(size=(200, len(FITTED_NAMES)))
    model = OutlierModel.fit(OutlierKind.EXCESS, rows, FITTED_NAMES, seed=7)
    together = model.score(rows)
    assert [model.score_one(row) for row in rows] == together.tolist()
    assert np.array_equal(model.score(np.asfortranarray(rows)), together)
    archive = model.dumps()
    again = OutlierModel.loads(archive, sha256(archive).hexdigest())
    assert np.array_equal(again.score(rows), together)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("factors", lambda array: array + 9),
        ("members", lambda array: array * 0 - 1),
        ("counts", lambda array: array * 0 - 1),
        ("lines", lambda array: array * 0),
        ("lines", lambda array: array[:0]),
        ("tails", lambda array: array * 0),
        ("tails", lambda array: array * [1, -1, 1, 1]),
        ("tails", lambda array: array * [1, 1, 0, 1]),
        ("ways", lambda array: array[:0]),
        ("ways", lambda array: array * 0),
    ],
)
def test_arrays_that_no_fit_gives_are_refused(
    name: str, change: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
) -> None:
    arrays = learn(draw_rows(200, seed=9)).arrays()
    Surprises.restore(arrays, len(NAMES))
    with pytest.raises(ValueError, match=r"column|scale|share|nothing|shape"):
        Surprises.restore({**arrays, name: change(arrays[name])}, len(NAMES))


def test_an_archive_of_the_kind_without_its_signs_is_refused() -> None:
    model = OutlierModel.fit(OutlierKind.EXCESS, draw_rows(60, seed=1), NAMES, seed=7)
    assert isinstance(model.scorer, ExcessScorer)
    archive = OutlierModel(
        OutlierKind.EXCESS, model.names, model.scorer.forest, model.calibration
    ).dumps()
    with pytest.raises(OutlierModelError, match="run `maskwatch jobs run retrain`"):
        OutlierModel.loads(archive, sha256(archive).hexdigest())


def test_of_two_signs_that_are_equally_large_both_explain() -> None:
    face, hair = "glance_returned_face_share", "glance_returned_hair_share"
    names = ("glance_entropy", "jpeg_blockiness", face, hair, "width")
    rows = draw_rows(400, seed=10)
    rows[:, 3] = rows[:, 2]
    model = OutlierModel.fit(OutlierKind.EXCESS, rows, names, seed=7)
    attack = np.array([0.8, 1.5, 0.4, 0.4, 500.0])
    assert {face, hair} <= {*model.contributions(attack)}


def test_rows_that_are_all_equal_surprise_nobody() -> None:
    same = np.tile(draw_rows(1, seed=3), (41, 1))
    model = OutlierModel.fit(OutlierKind.EXCESS, same, NAMES, seed=1)
    assert (model.p_values(model.score(same)) > 0.2).all()
