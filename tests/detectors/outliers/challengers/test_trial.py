import numpy as np

from detectors.outliers.challengers.trial import ONE_NIGHT, Performance, Trial, list_losses
from detectors.outliers.comparison import NamedRows, movement
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel

NAMES = ("a", "b")
RANDOM = np.random.default_rng(11)
CLEAN = RANDOM.normal(0, 1, (300, 2))
# Beyond everything clean.
ATTACK = RANDOM.normal(12, 0.5, (40, 2))


def fit(*parts: np.ndarray) -> OutlierModel:
    return OutlierModel.fit(OutlierKind.NEAREST_NEIGHBOURS, np.concatenate(parts), NAMES, 1)


def perform(
    false_alarms: float = 0.01, detection: float = 0.8, ranking: float = 0.95, shift: float = 0.0
) -> Performance:
    p_values = np.clip(np.linspace(0, 1, 101) + shift, 0, 1)
    return Performance(false_alarms, detection, ranking, p_values)


def test_a_model_of_clean_rows_finds_planted_attacks_and_calls_few_clean_ones_so() -> None:
    trial = Trial(NamedRows(NAMES, CLEAN), NamedRows(NAMES, ATTACK), 0.01)
    result = trial.measure(fit(RANDOM.normal(0, 1, (1000, 2))))
    assert result.detection == 1.0
    assert result.ranking == 1.0
    assert result.false_alarms < 0.04
    assert result.metrics()["frozen_detection"] == 1.0


def test_a_model_that_learnt_the_attack_loses_against_one_that_did_not() -> None:
    trial = Trial(NamedRows(NAMES, CLEAN), NamedRows(NAMES, ATTACK), 0.01)
    before, after = (
        trial.measure(fit(RANDOM.normal(0, 1, (1000, 2)), *poison))
        for poison in ((), (RANDOM.normal(12, 0.5, (200, 2)),))
    )
    losses = list(list_losses(before, after, ONE_NIGHT))
    assert losses[0].startswith("It finds 0.0 % of the frozen attack set instead of 100.0 %; at")
    assert any(loss.startswith("It ranks an attack above") for loss in losses)


def test_each_bound_holds_by_itself_and_is_stated() -> None:
    for after, words in (
        (perform(false_alarms=0.04), "at most 2 points more are allowed in one night."),
        (perform(detection=0.7), "70.0 % of the frozen attack set instead of 80.0 %; at most 5"),
        (perform(ranking=0.9), "0.900 of all pairs instead of 0.950; at most 0.03 may be lost"),
        (perform(shift=0.3), "at most 0.20 is allowed in one night."),
    ):
        [loss] = list_losses(perform(), after, ONE_NIGHT)
        assert words in loss


def test_what_stays_within_the_bounds_loses_nothing() -> None:
    after = perform(false_alarms=0.015, detection=0.78, ranking=0.94, shift=0.05)
    assert not list(list_losses(perform(), after, ONE_NIGHT))


def test_one_attack_of_twenty_may_be_lost_in_one_night_and_two_may_not() -> None:
    for found, loses in ((19, False), (18, True)):
        after = perform(detection=found / 20)
        assert bool(list(list_losses(perform(detection=1.0), after, ONE_NIGHT))) is loses


def test_two_kinds_may_rank_clean_requests_in_two_ways() -> None:
    assert not list(list_losses(perform(), perform(shift=0.4), ONE_NIGHT, moves=False))


def test_equal_scores_count_half_in_the_ranking() -> None:
    same = NamedRows(NAMES, CLEAN)
    assert Trial(same, same, 0.01).measure(fit(CLEAN)).ranking == 0.5


def test_movement_is_the_mean_distance_of_p_values() -> None:
    assert movement(np.array([0.1, 0.9]), np.array([0.2, 0.7])) == 0.15000000000000002
