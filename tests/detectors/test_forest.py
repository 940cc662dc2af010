"""The isolation forest: what it ranks, what its p-values promise, what it refuses to load."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from math import nan
from pathlib import Path

import numpy as np
import pytest
import skops.io
from scipy.stats import kstest

from detectors.forest import MIN_ROWS, ForestModel, Matrix, OutlierModelError

NAMES = ("width", "height", "entropy_mean", "skin_share", "persons")


def _normal(rows: int, seed: int) -> Matrix:
    return np.random.default_rng(seed).normal(10, 2, (rows, len(NAMES)))


@pytest.fixture(scope="module")
def model() -> ForestModel:
    return ForestModel.fit(_normal(400, seed=1), NAMES, seed=7)


@pytest.fixture(scope="module")
def archive(model: ForestModel) -> bytes:
    return model.dumps()


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def test_outliers_score_higher_than_normal_rows(model: ForestModel) -> None:
    normal = model.score(_normal(300, seed=2))
    shifted = model.score(_normal(300, seed=3) + 12)
    assert shifted.min() > np.quantile(normal, 0.95)


def test_one_odd_feature_is_enough_to_score_higher(model: ForestModel) -> None:
    rows = np.full((2, len(NAMES)), 10.0)
    rows[1, 3] = 40
    usual, odd = model.score(rows)
    assert odd > usual


def test_p_values_of_held_out_normal_rows_are_about_uniform(model: ForestModel) -> None:
    p_values = model.p_values(model.score(_normal(600, seed=4)))
    assert kstest(p_values, "uniform").statistic < 0.1
    assert (p_values <= 0.05).mean() <= 0.1


def test_p_values_of_outliers_are_the_smallest_possible(model: ForestModel) -> None:
    p_values = model.p_values(model.score(_normal(50, seed=5) + 30))
    assert p_values == pytest.approx(1 / 401)


def test_p_values_count_ties_as_at_least_as_high() -> None:
    model = ForestModel((), None, np.array([1.0, 2.0, 2.0, 3.0]), np.array([]), np.array([]))
    found = model.p_values(np.array([0.5, 2.0, 2.5, 9.0]))
    assert found == pytest.approx([1.0, 0.8, 0.4, 0.2])


def test_a_higher_score_never_has_a_higher_p_value(model: ForestModel) -> None:
    p_values = model.p_values(np.linspace(0, 1, 200))
    assert (np.diff(p_values) <= 0).all()
    assert ((p_values > 0) & (p_values <= 1)).all()


def test_a_score_does_not_depend_on_the_other_rows(model: ForestModel) -> None:
    rows = _normal(40, seed=6)
    together, reversed_order = model.score(rows), model.score(rows[::-1])[::-1]
    assert np.array_equal(together, reversed_order)
    assert model.score(rows[17:18])[0] == together[17]


def test_scoring_does_not_learn_and_does_not_change_its_rows(model: ForestModel) -> None:
    rows = _normal(20, seed=8)
    rows[3, 2] = nan
    before = rows.copy()
    first, second = model.score(rows), model.score(rows)
    assert np.array_equal(first, second)
    assert np.array_equal(rows, before, equal_nan=True)


def test_the_farthest_features_explain_a_row_with_their_sign(model: ForestModel) -> None:
    row = model.centre.copy()
    row[0] += 8 * model.spread[0]
    row[4] -= 3 * model.spread[4]
    assert list(model.contributions(row).items()) == [("width", 8.0), ("persons", -3.0)]
    assert list(model.contributions(row, most=1)) == ["width"]


def test_an_unmeasured_feature_explains_nothing(model: ForestModel) -> None:
    assert model.contributions(np.full(len(NAMES), nan)) == {}


def test_the_same_rows_and_seed_give_the_same_model(model: ForestModel) -> None:
    again = ForestModel.fit(_normal(400, seed=1), NAMES, seed=7)
    rows = _normal(50, seed=9)
    assert np.array_equal(again.score(rows), model.score(rows))
    assert np.array_equal(again.calibration, model.calibration)


def test_missing_and_constant_columns_are_fitted_and_explained() -> None:
    rows = _normal(MIN_ROWS, seed=10)
    rows[:, 1], rows[:, 2], rows[::2, 3] = 5, nan, nan
    model = ForestModel.fit(rows, NAMES, seed=7)
    assert np.isfinite(model.calibration).all()
    assert (model.spread > 0).all()
    odd = rows[1].copy()
    odd[1] = 6
    assert np.isfinite(model.score(np.stack([rows[0], odd]))).all()
    # A constant column's scale is a hundredth of its value: 1 / 0.05.
    assert model.contributions(odd)["height"] == 20.0


def test_too_few_rows_are_told_with_their_number() -> None:
    with pytest.raises(OutlierModelError, match="at least 30 clean records; there are 29"):
        ForestModel.fit(_normal(MIN_ROWS - 1, seed=1), NAMES, seed=7)


def test_a_loaded_model_gives_identical_answers(model: ForestModel, archive: bytes) -> None:
    loaded = ForestModel.loads(archive, _digest(archive))
    rows = np.vstack([_normal(50, seed=11), np.full((1, len(NAMES)), nan)])
    assert np.array_equal(loaded.score(rows), model.score(rows))
    assert np.array_equal(loaded.p_values(model.calibration), model.p_values(model.calibration))
    assert loaded.names == model.names
    assert loaded.contributions(rows[0]) == model.contributions(rows[0])


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_one_flipped_bit_is_refused(archive: bytes, place: int) -> None:
    changed = bytearray(archive)
    changed[place] ^= 1
    with pytest.raises(OutlierModelError, match="changed on disk"):
        ForestModel.loads(bytes(changed), _digest(archive))


@pytest.mark.parametrize(
    "data",
    [b"", b"not an archive", skops.io.dumps({"names": []}), skops.io.dumps("a word")],
    ids=["empty", "junk", "incomplete", "other_content"],
)
def test_a_foreign_file_is_refused_even_with_the_right_digest(data: bytes) -> None:
    with pytest.raises(OutlierModelError, match="run `maskwatch retrain`"):
        ForestModel.loads(data, _digest(data))


@dataclass(frozen=True)
class Trap:
    """Writes a file when something unpickles it."""

    trace: Path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.trace, "it ran")


@pytest.mark.parametrize("dumps", [pickle.dumps, skops.io.dumps])
def test_code_in_a_file_is_refused_and_does_not_run(
    dumps: Callable[[object], bytes], tmp_path: Path
) -> None:
    hostile = dumps({"names": [], "forest": Trap(tmp_path / "trace")})
    with pytest.raises(OutlierModelError, match="not one that this version can read"):
        ForestModel.loads(hostile, _digest(hostile))
    assert not (tmp_path / "trace").exists()
