"""What every kind of outlier model promises, checked on each of them."""

from collections.abc import Callable
from hashlib import sha256
from math import inf, nan

import numpy as np
import pytest
from scipy.stats import kstest

from detectors.outliers.base import OutlierModelError
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import MIN_ROWS, OutlierModel
from detectors.outliers.preparation import Matrix

Rows = Callable[..., Matrix]


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def test_it_says_what_it_is(model: OutlierModel, kind: OutlierKind) -> None:
    assert model.kind is kind
    assert len(kind.value) <= 32
    assert model.names == ("width", "height", "entropy_mean", "skin_share", "persons")


def test_scoring_does_not_learn_and_does_not_change_its_rows(
    model: OutlierModel, normal_rows: Rows
) -> None:
    rows = normal_rows(20, seed=8)
    rows[3, 2] = nan
    rows.flags.writeable = False
    before = rows.copy()
    first = model.score(rows)
    model.contributions(rows[0])
    assert np.array_equal(model.score(rows), first)
    assert np.array_equal(rows, before, equal_nan=True)


def test_scores_are_finite_float64_one_a_row(model: OutlierModel, normal_rows: Rows) -> None:
    rows = np.vstack(
        [
            normal_rows(3, seed=2),
            np.full((1, 5), nan),
            np.full((1, 5), 0.0),
            np.full((1, 5), 1e300),
            np.full((1, 5), -1.7e308),
            np.array([[inf, -inf, nan, 1e-300, 5e-324]]),
        ]
    )
    scores = model.score(rows)
    assert scores.shape == (len(rows),)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert all(np.isfinite(list(model.contributions(row).values())).all() for row in rows)


def test_no_rows_have_no_scores(model: OutlierModel) -> None:
    assert model.score(np.empty((0, 5))).shape == (0,)


def test_a_score_does_not_depend_on_the_other_rows(model: OutlierModel, normal_rows: Rows) -> None:
    rows = normal_rows(600, seed=6)
    together = model.score(rows)
    assert np.array_equal(model.score(rows[::-1])[::-1], together)
    assert np.array_equal(model.score(np.asfortranarray(rows)), together)
    assert np.array_equal(np.concatenate([model.score(rows[:7]), model.score(rows[7:])]), together)
    assert [model.score_one(row) for row in rows[::60]] == together[::60].tolist()


def test_a_planted_anomaly_ranks_above_normal(model: OutlierModel, normal_rows: Rows) -> None:
    normal = model.score(normal_rows(300, seed=2))
    shifted = model.score(normal_rows(300, seed=3) + 12)
    assert shifted.min() > np.quantile(normal, 0.95)


def test_one_odd_feature_is_enough_to_rank_higher(model: OutlierModel) -> None:
    rows = np.full((2, 5), 10.0)
    rows[1, 3] = 40
    usual, odd = model.score(rows)
    assert odd > usual


def test_p_values_of_held_out_normal_rows_are_about_uniform(
    model: OutlierModel, normal_rows: Rows
) -> None:
    p_values = model.p_values(model.score(normal_rows(600, seed=4)))
    assert kstest(p_values, "uniform").statistic < 0.1
    assert (p_values <= 0.05).mean() <= 0.1


def test_p_values_of_outliers_are_the_smallest_possible(
    model: OutlierModel, normal_rows: Rows
) -> None:
    p_values = model.p_values(model.score(normal_rows(50, seed=5) + 30))
    assert p_values == pytest.approx(1 / 401)


def test_a_higher_score_never_has_a_higher_p_value(model: OutlierModel) -> None:
    p_values = model.p_values(np.linspace(0, 10, 200))
    assert (np.diff(p_values) <= 0).all()
    assert ((p_values > 0) & (p_values <= 1)).all()


def test_more_normal_rows_only_change_the_calibration(
    model: OutlierModel, normal_rows: Rows
) -> None:
    rows = normal_rows(10, seed=20) + 6
    more = model.extend_calibration(rows)
    assert np.array_equal(more.score(rows), model.score(rows))
    assert len(more.calibration) == 410
    assert (np.diff(more.calibration) >= 0).all()
    assert more.p_values(model.score(rows)).max() > model.p_values(model.score(rows)).max()


def test_the_odd_features_explain_a_row_with_their_sign(model: OutlierModel) -> None:
    normal = model.scorer.normal
    row = normal.centre.copy()
    row[0] += 8 * normal.spread[0]
    row[4] -= 3 * normal.spread[4]
    assert dict(model.contributions(row)) == {"width": 8.0, "persons": -3.0}
    assert list(model.contributions(row)) == ["width", "persons"]
    assert list(model.contributions(row, most=1)) == ["width"]


def test_an_unmeasured_feature_explains_nothing(model: OutlierModel) -> None:
    assert model.contributions(np.full(5, nan)) == {}


@pytest.mark.usefixtures("few_trees")
def test_the_same_rows_and_seed_give_the_same_model(kind: OutlierKind, normal_rows: Rows) -> None:
    rows, other = normal_rows(60, seed=1), normal_rows(50, seed=9)
    first, again = (OutlierModel.fit(kind, rows, tuple("abcde"), seed=7) for _ in range(2))
    assert np.array_equal(again.score(other), first.score(other))
    assert np.array_equal(again.calibration, first.calibration)


@pytest.mark.usefixtures("few_trees")
def test_missing_and_constant_columns_are_fitted_and_explained(
    kind: OutlierKind, normal_rows: Rows
) -> None:
    rows = normal_rows(MIN_ROWS, seed=10)
    rows[:, 1], rows[:, 2], rows[::2, 3], rows[5] = 5, nan, nan, nan
    model = OutlierModel.fit(kind, rows, tuple("abcde"), seed=7)
    assert np.isfinite(model.calibration).all()
    odd = rows[1].copy()
    odd[1], odd[2] = 6, 1e12
    assert np.isfinite(model.score(np.stack([rows[0], odd]))).all()
    assert np.isfinite(list(model.contributions(odd).values())).all()


def test_a_look_that_few_requests_have_makes_odd_only_where_it_is_odd_itself(
    kind: OutlierKind, normal_rows: Rows
) -> None:
    """Neither having it nor lacking it does; a value that clean looks never show does."""
    train, fresh = normal_rows(1500, seed=21), normal_rows(1500, seed=22)
    train[150:, 4], fresh[750:, 4] = nan, nan
    model = OutlierModel.fit(kind, train, tuple("abcde"), seed=7)
    p_values = model.p_values(model.score(fresh))
    with_look, without = (p_values[:750] <= 0.05).mean(), (p_values[750:] <= 0.05).mean()
    assert with_look <= 0.12
    assert 0.02 <= without <= 0.08
    odd = fresh[750:800].copy()
    odd[:, 4] = 60
    assert (model.score(odd) > model.score(fresh[750:800])).all()


def test_what_too_few_training_rows_have_says_nothing(kind: OutlierKind, normal_rows: Rows) -> None:
    rows = normal_rows(60, seed=23)
    rows[29:, 4] = nan
    model = OutlierModel.fit(kind, rows, tuple("abcde"), seed=7)
    odd = rows[40:41].copy()
    odd[0, 4] = 1e6
    assert model.score(odd) == model.score(rows[40:41])
    assert "e" not in model.contributions(odd[0])


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("rows", [1, 2])
def test_few_features_are_enough(kind: OutlierKind, normal_rows: Rows, rows: int) -> None:
    model = OutlierModel.fit(kind, normal_rows(60, seed=1)[:, :rows], ("a", "b")[:rows], seed=7)
    usual, odd = model.score(np.array([[10.0] * rows, [30.0] * rows]))
    assert odd > usual


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("value", [0.0, 3.0, nan, -1e300])
def test_rows_that_are_all_equal_are_fitted(kind: OutlierKind, value: float) -> None:
    rows = np.full((40, 3), value)
    model = OutlierModel.fit(kind, rows, ("a", "b", "c"), seed=7)
    assert np.isfinite(model.calibration).all()
    assert np.isfinite(model.score(np.vstack([rows, rows + 1]))).all()
    assert model.p_values(model.score(rows[:1]))[0] == 1.0


@pytest.mark.usefixtures("few_trees")
def test_huge_values_are_fitted(kind: OutlierKind, normal_rows: Rows) -> None:
    rows = normal_rows(60, seed=1)
    rows[3], rows[:, 4] = 1.7e308, rows[:, 4] * 1e300
    model = OutlierModel.fit(kind, rows, tuple("abcde"), seed=7)
    assert np.isfinite(model.calibration).all()
    assert np.isfinite(model.score(rows)).all()


def test_too_few_rows_are_told_with_their_number(kind: OutlierKind, normal_rows: Rows) -> None:
    with pytest.raises(OutlierModelError, match="at least 30 clean records; there are 29"):
        OutlierModel.fit(kind, normal_rows(MIN_ROWS - 1, seed=1), tuple("abcde"), seed=7)


def test_a_loaded_model_gives_identical_answers(model: OutlierModel, normal_rows: Rows) -> None:
    archive = model.dumps()
    loaded = OutlierModel.loads(archive, _digest(archive))
    rows = np.vstack([normal_rows(50, seed=11), np.full((1, 5), nan)])
    assert np.array_equal(loaded.score(rows), model.score(rows))
    assert np.array_equal(loaded.calibration, model.calibration)
    assert (loaded.kind, loaded.names) == (model.kind, model.names)
    assert loaded.contributions(rows[0]) == model.contributions(rows[0])


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_one_flipped_bit_is_refused(model: OutlierModel, place: int) -> None:
    archive = model.dumps()
    changed = bytearray(archive)
    changed[place] ^= 1
    with pytest.raises(OutlierModelError, match="changed on disk"):
        OutlierModel.loads(bytes(changed), _digest(archive))
