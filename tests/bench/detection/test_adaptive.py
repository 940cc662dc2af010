"""Attackers who know looks and limits, on a drawn figure, with the shipped weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.detection.attacks import ADAPTIVE, ATTACKS, adaptive
from bench.detection.attacks.base import Untargeted
from bench.detection.attacks.known_detector import Judgement, KnownDetector
from bench.detection.attacks.views import View, draw_view, see_as_jpeg
from detectors.parsing import Image
from inference.figures import draw_figure
from inference.segmenters.reference.training.attacks import as_batch, as_image, pgd
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS


@pytest.fixture(scope="module")
def segmenter() -> TorchSegmenter:
    return TorchSegmenter.load(DEFAULT_WEIGHTS)


@pytest.fixture(scope="module")
def picture() -> Image:
    return draw_figure(11, (144, 216)).image


def test_names_say_the_size_of_the_change() -> None:
    names = {f"adaptive_pgd_e{epsilon}" for epsilon in (1, 2, 4, 8)}
    assert names | {f"adaptive_face_e{epsilon}" for epsilon in (2, 4, 8)} == ADAPTIVE.keys()
    assert not ADAPTIVE.keys() & ATTACKS.keys()


def test_jpeg_changes_the_picture_and_lets_gradients_through(picture: Image) -> None:
    variable = as_batch(picture).requires_grad_()
    seen = see_as_jpeg(variable, np.random.default_rng(0))
    assert (as_image(seen) != picture).any()
    (gradient,) = torch.autograd.grad(seen.sum(), variable)
    assert torch.equal(gradient, torch.ones_like(gradient))


def test_every_look_lets_gradients_through_and_some_are_moved(picture: Image) -> None:
    random = np.random.default_rng(3)
    variable = as_batch(picture).requires_grad_()
    views = [draw_view(variable, random) for _ in range(40)]
    for view in views:
        (gradient,) = torch.autograd.grad(view.picture.sum(), variable)
        assert gradient.abs().mean() > 0.9
    assert 0 < sum(view.right != 0 or view.down != 0 for view in views) < 20


def test_a_moved_look_comes_back_into_its_place() -> None:
    logits = torch.zeros(1, 2, 12, 16)
    logits[:, 1, 3:6, 4:8] = 1
    moved = torch.roll(logits, (1, 2), dims=(2, 3))
    # Two of eight pixels of the logits' size: four times as large as they are.
    view = View(torch.zeros(1, 3, 48, 64), right=8, down=4)
    assert torch.allclose(view.undo(moved), logits, atol=1e-5)


def test_the_goal_comes_before_the_score() -> None:
    tries = [Judgement(-0.4), Judgement(-1.0, 3.0), Judgement(-0.7), Judgement(-1.0, 0.5)]
    assert min(tries) == Judgement(-1.0, 0.5)
    assert max(tries) == Judgement(-0.4)


def test_an_attack_that_knows_the_detector_scores_less(
    segmenter: TorchSegmenter, picture: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptive, "_STEPS", 10)
    attack = ADAPTIVE["adaptive_pgd_e8"]
    craft = attack.prepare_craft(segmenter, None)  # type: ignore[arg-type]
    crafted, plain = (
        craft(segmenter, picture, 3),
        pgd(segmenter, picture, epsilon=8, steps=10, seed=3),
    )
    assert 0 < np.abs(crafted.astype(int) - picture).max() <= 8
    detector, random = KnownDetector(segmenter, attack.goal, picture), np.random.default_rng(8)
    ours, other = (detector.judge(each, random) for each in (crafted, plain))
    assert ours.missing == other.missing == -1
    assert ours.score < other.score


def test_no_better_picture_ends_the_search(
    segmenter: TorchSegmenter, picture: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptive, "_PATIENCE", 5)
    attack = ADAPTIVE["adaptive_pgd_e1"]
    out_of_reach = replace(adaptive.Aim(0))
    assert attack.goal == Untargeted()
    result = adaptive._craft(segmenter, picture, 3, aim=out_of_reach)
    assert np.array_equal(result, picture)
