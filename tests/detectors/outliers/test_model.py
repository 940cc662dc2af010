"""The model around a scorer: p-values and explanations."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel


@pytest.fixture
def neighbours() -> OutlierModel:
    rows = np.random.default_rng(0).normal(size=(200, 4))
    rows[:, 1] = rows[:, 0] + 0.01 * rows[:, 1]
    return OutlierModel.fit(OutlierKind.NEAREST_NEIGHBOURS, rows, tuple("abcd"), seed=1)


def test_p_values_count_ties_as_at_least_as_high(neighbours: OutlierModel) -> None:
    model = replace(neighbours, calibration=np.array([1.0, 2.0, 2.0, 3.0]))
    found = model.p_values(np.array([0.5, 2.0, 2.5, 9.0]))
    assert found == pytest.approx([1.0, 0.8, 0.4, 0.2])


def test_the_calibration_holds_scores_of_rows_that_a_model_did_not_see(
    neighbours: OutlierModel,
) -> None:
    # A stored row is its own nearest one, so scores of seen rows would be lower.
    stored = neighbours.scorer.arrays()["stored"]
    seen = neighbours.scorer.normal.centre + neighbours.scorer.normal.spread * np.copysign(
        np.expm1(np.abs(stored)), stored
    )
    assert np.median(neighbours.calibration) > 1.1 * np.median(neighbours.score(seen))


def test_a_feature_explains_what_the_score_loses_without_it(neighbours: OutlierModel) -> None:
    normal = neighbours.scorer.normal
    # Each value is common, but a and b go together in normal rows.
    row = normal.centre + normal.spread * np.array([0.7, -0.7, 0.0, 0.1])
    explained = neighbours.contributions(row)
    assert set(explained) == {"a", "b"}
    assert explained["a"] == pytest.approx(0.7)


def test_a_feature_with_a_small_share_explains_nothing(neighbours: OutlierModel) -> None:
    normal = neighbours.scorer.normal
    row = normal.centre + normal.spread * np.array([0.0, 0.0, 900.0, 0.3])
    assert list(neighbours.contributions(row)) == ["c"]


def test_a_source_with_enough_rows_is_compared_with_its_own() -> None:
    """What is common from one camera is unheard of from the other."""
    random = np.random.default_rng(4)
    rows = random.normal(size=(2100, 3))
    rows[1000:2000] *= 4
    sources = ["calm"] * 1000 + ["wild"] * 1000 + ["new"] * 100
    model = OutlierModel.fit(
        OutlierKind.NEAREST_NEIGHBOURS, rows, tuple("abc"), seed=1, sources=sources
    )
    assert set(model.calibration_of) == {"calm", "wild"}
    scores = model.score(np.full((4, 3), 4.5))
    judged = model.calibrate(scores, ["calm", "wild", "new", None])
    assert judged.of_source.tolist() == [True, True, False, False]
    assert judged.rows.tolist() == [1000, 1000, 2100, 2100]
    assert judged.p_values[0] == 1 / 1001 < judged.p_values[2] == judged.p_values[3]
    assert judged.p_values[1] > judged.p_values[2]


def test_what_sources_are_compared_with_lives_in_the_archive_and_grows() -> None:
    rows = np.random.default_rng(4).normal(size=(1100, 3))
    kind = OutlierKind.NEAREST_NEIGHBOURS
    model = OutlierModel.fit(kind, rows, tuple("abc"), seed=1, sources=["ab"] * 1100)
    more = model.extend_calibration(rows[:5] * 9, ["ab", "ab", "ab", "cd", None])
    assert (len(more.calibration), len(more.calibration_of["ab"])) == (1105, 1103)
    archive = more.dumps()
    loaded = OutlierModel.loads(archive, sha256(archive).hexdigest())
    assert np.array_equal(loaded.calibration_of["ab"], more.calibration_of["ab"])
