import numpy as np

from detectors.outliers.combined import CombinedScorer


def count_stored(rows: np.ndarray) -> int:
    """Rows that distances are measured to."""
    return len(CombinedScorer.fit(rows, 1).scorer.members[-1].arrays()["stored"])


def test_anomalies_that_lie_close_together_are_not_stored_for_distances() -> None:
    random = np.random.default_rng(1)
    rows, anomalies = random.normal(size=(600, 6)), random.normal(8, 0.1, (30, 6))
    result = CombinedScorer.fit(np.concatenate([rows, anomalies]), 1)
    stored = result.scorer.members[-1].arrays()["stored"]
    assert 540 <= len(stored) <= 600
    # A scaled anomaly lies at 1.9 in each feature.
    assert stored.mean(axis=1).max() < 1.5
    assert np.isfinite(result.held_out_scores).all()


def test_few_rows_are_left_out_where_none_are_odd() -> None:
    assert count_stored(np.random.default_rng(1).uniform(size=(600, 6))) >= 580


def test_equal_rows_are_all_stored() -> None:
    assert count_stored(np.ones((60, 3))) == 60
