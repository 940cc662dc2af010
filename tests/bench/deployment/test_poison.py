"""Hostile rows among clean ones, and what the job makes of the source."""

from math import exp
from statistics import fmean

import pytest
from numpy.random import default_rng

from bench.deployment.poison import NONE, Poison, Rows, Way, blend, draw_rows, poison_row


def _features(seed: int, oddness: float = 1.0) -> dict[str, float]:
    random = default_rng(seed)
    entropy, noise = random.uniform(0.05, 0.6), random.normal(0, 0.3, 5)
    return {
        "colour_detail_tile": 4 * exp(noise[0]),
        "glance_tile_divergence": min(0.69, 0.05 * oddness * entropy * exp(noise[1])),
        "glance_withdrawn_share": min(1.0, 0.02 * oddness * entropy * exp(noise[2])),
        "glance_returned_person_share": min(1.0, 0.02 * oddness * entropy * exp(noise[4])),
        "js_consensus": min(0.69, 0.03 * oddness * entropy * exp(noise[3])),
        "foreground_share": (share := random.uniform(0.2, 0.5)),
        "entropy_mean": share * entropy,
        "glance_entropy": entropy,
        "jpeg_blockiness": random.uniform(0.9, 1.3),
        "ensemble_passes": 13.0,
    }


ROWS = Rows(
    [_features(seed) for seed in range(400)],
    [_features(seed) for seed in range(1000, 1100)],
    [(_features(seed), _features(seed, 15)) for seed in range(2000, 2040)],
    [_features(seed, 15) for seed in range(3000, 3040)],
)


def test_halfway_is_between_on_the_scale_of_the_lines() -> None:
    middle = blend({"js_consensus": 0.01}, {"js_consensus": 0.04, "late": 1.0}, 0.5)
    assert middle == {"js_consensus": pytest.approx(0.02, rel=0.02)}


def test_a_drift_begins_at_the_clean_picture_and_ends_at_the_attack() -> None:
    poison = Poison(Way.DRIFTING, 0.2, 50)
    assert (poison.strength(0), poison.strength(14)) == (0.0, 1.0)


def test_without_poison_attacks_are_found_and_clean_pictures_are_not() -> None:
    row = poison_row(ROWS, Poison(Way.SUDDEN, 0.0, 1), nights=2)
    assert row["phase"] == "in_force"
    assert row["detection"] > 0.9
    assert row["false_alarms"] <= 0.03


def test_a_line_is_the_mean_of_its_draws_and_names_the_worst() -> None:
    drawn = [poison_row(ROWS, NONE, seed, nights=0) for seed in (3, 4)]
    row = draw_rows(ROWS, NONE, draws=2, seed=3, nights=0)
    assert row["detection"] == pytest.approx(fmean(each["detection"] for each in drawn))
    assert row["false_alarms_max"] == max(each["false_alarms"] for each in drawn)
    assert row["nights_in_force"] == min(each["nights_in_force"] for each in drawn)
    assert (row["draws"], row["phase"]) == (2, "in_force")
