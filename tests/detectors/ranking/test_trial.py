"""The held-out trial: signal is seen, chance is not, and whoever is labelled much wins nothing."""

from dataclasses import replace

import numpy as np
import pytest

from detectors.ranking.fit import fit_reranker
from detectors.ranking.labels import Label, Labels
from detectors.ranking.reranker import Reranker
from detectors.ranking.trial import HeldOut, hold_out
from tests.detectors.ranking.drawn_labels import draw_labels, weigh


def _fit(labels: Labels) -> Reranker:
    return fit_reranker(labels, "a basis")


def _try(labels: list[Label]) -> HeldOut:
    return hold_out(weigh(labels), _fit)


@pytest.mark.parametrize("seed", range(8))
def test_labels_that_carry_signal_rank_better(seed: int) -> None:
    held_out = _try(draw_labels(60, signal=2.5, seed=seed))
    assert held_out.is_better
    assert held_out.gain_low <= held_out.gain <= held_out.gain_high
    assert held_out.auroc > 0.8


def test_labels_at_random_seldom_rank_better() -> None:
    trials = [_try(draw_labels(60, signal=0, seed=seed)) for seed in range(40)]
    assert sum(each.is_better for each in trials) <= 4
    assert np.mean([each.auroc for each in trials]) < 0.55


def test_what_a_family_alone_shows_is_no_signal_on_others() -> None:
    """Each family has a mark of its own, which says everything of it and nothing of any other."""
    random = np.random.default_rng(5)
    labels = draw_labels(100, signal=0, seed=5, of_group=5)
    marks = random.normal(0, 5, (20, len(labels[0].row)))
    marked = [
        replace(each, row=marks[number // 5] + 0.01 * each.row)
        for number, each in enumerate(labels)
    ]
    assert not _try(marked).is_better


def test_the_same_labels_give_the_same_figures_and_the_same_bytes() -> None:
    labels = weigh(draw_labels(60, signal=2))
    assert hold_out(labels, _fit) == hold_out(labels, _fit)
    assert _fit(labels).dumps() == _fit(labels).dumps()


def test_figures_are_read_as_they_were_stored() -> None:
    held_out = HeldOut(0.9123, 0.6001, 0.1, 0.4)
    assert HeldOut.of_metrics({**held_out.metrics(), "more": "x"}) == held_out


@pytest.mark.parametrize(
    ("held_out", "is_better"),
    [
        (HeldOut(0.8, 0.7, 0.01, 0.2), True),
        (HeldOut(0.8, 0.7, -0.01, 0.2), False),
        (HeldOut(0.715, 0.7, 0.001, 0.03), False),
        (HeldOut(0.55, 0.3, 0.1, 0.4), False),
    ],
)
def test_it_has_to_gain_enough_beyond_chance_and_be_good(
    held_out: HeldOut, is_better: bool
) -> None:
    assert held_out.is_better == is_better
