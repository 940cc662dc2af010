"""Attacks on a drawn figure, with the shipped weights."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
import pytest

from bench.detection.attacks import ATTACKS
from bench.detection.attacks.base import Perturbation, Removal, Untargeted
from bench.detection.attacks.gradient import cospgd, segpgd
from bench.detection.attacks.patch import craft_patch, place_of
from bench.detection.attacks.universal import Universal
from detectors.parsing import Image
from detectors.parts import PartGroup
from inference.figures import draw_figure
from inference.segmenters.reference.training.attacks import Budget, ascend, removal_loss
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS


@pytest.fixture(scope="module")
def segmenter() -> TorchSegmenter:
    return TorchSegmenter.load(DEFAULT_WEIGHTS)


@pytest.fixture(scope="module")
def picture() -> Image:
    return draw_figure(11, (144, 216)).image


class DrawnPhotos:
    """A trainer with drawn figures that keeps nothing."""

    def fit_photos(self, count: int) -> list[Image]:
        return [draw_figure(seed, (144, 216)).image for seed in range(count)]

    def once(self, name: str, settings: str, train: Callable[[], Perturbation]) -> Perturbation:
        return train()


def _distance(first: Image, second: Image) -> int:
    return int(np.abs(first.astype(int) - second).max())


def test_all_attacks_of_the_protocol_are_there() -> None:
    sizes = {"pgd": (1, 2, 4, 8), "segpgd": (2, 4, 8), "cospgd": (2, 4, 8)}
    names = {f"{name}_e{size}" for name, all_sizes in sizes.items() for size in all_sizes}
    names |= {"remove_face_e2", "remove_face_e4", "remove_hands_e4", "remove_person"}
    assert names | {"dag", "alma_prox", "patch", "universal"} <= ATTACKS.keys()
    assert all(name == attack.name for name, attack in ATTACKS.items())


@pytest.mark.parametrize("craft", [segpgd, cospgd])
def test_pixels_change_class_within_epsilon(
    craft: Callable[..., Image], segmenter: TorchSegmenter, picture: Image
) -> None:
    attacked = craft(segmenter, picture, 3, budget=Budget(4, 5))
    assert 0 < _distance(picture, attacked) <= 4
    assert Untargeted().measure_share(segmenter, picture, attacked) >= 0.2


def test_a_person_vanishes_within_epsilon(segmenter: TorchSegmenter, picture: Image) -> None:
    goal = Removal(tuple(PartGroup))
    loss = removal_loss(segmenter, picture, goal.groups, 100)
    attacked = ascend(segmenter, picture, loss, Budget(8, 15, 0.7, 0.2), seed=3)
    assert _distance(picture, attacked) <= 8
    assert goal.is_attackable(segmenter, picture)
    assert goal.measure_share(segmenter, picture, attacked) >= 0.8


def test_what_is_not_there_cannot_be_attacked(segmenter: TorchSegmenter) -> None:
    empty = np.full((64, 48, 3), 200, dtype=np.uint8)
    assert not Removal((PartGroup.FACE,)).is_attackable(segmenter, empty)
    assert not Untargeted().is_attackable(segmenter, empty)


@pytest.mark.skipif(find_spec("adv_lib") is None, reason="the extra `bench` is not installed")
@pytest.mark.parametrize("name", ["dag", "alma_prox"])
def test_a_minimal_attack_survives_rounding(
    name: str, segmenter: TorchSegmenter, picture: Image
) -> None:
    craft = ATTACKS[name].prepare_craft(segmenter, DrawnPhotos())
    if name == "alma_prox":
        options = {"num_steps": 20}
        craft = partial(craft, options=options)  # type: ignore[call-arg]
    attacked = craft(segmenter, picture, 3)
    assert ATTACKS[name].goal.measure_share(segmenter, picture, attacked) >= 0.2


def test_a_patch_changes_nothing_but_its_place(
    segmenter: TorchSegmenter, picture: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.detection.attacks.patch._STEPS", 3)
    attacked, place = craft_patch(segmenter, picture, 5), place_of(picture, 5)
    changed = (attacked != picture).any(axis=2)
    inside = np.zeros_like(changed)
    inside[place.top : place.top + place.side, place.left : place.left + place.side] = True
    assert changed[inside].mean() > 0.9
    assert not changed[~inside].any()
    assert inside.mean() == pytest.approx(0.02, rel=0.1)


def test_a_universal_perturbation_changes_more_than_noise(
    segmenter: TorchSegmenter, picture: Image
) -> None:
    attack = Universal(fit_photos=3, rounds=2)
    attacked = attack.prepare_craft(segmenter, DrawnPhotos())(segmenter, picture, 0)
    untrained = Universal(fit_photos=0, rounds=0)
    noisy = untrained.prepare_craft(segmenter, DrawnPhotos())(segmenter, picture, 0)
    assert _distance(picture, attacked) <= 8
    goal = attack.goal
    by_noise = goal.measure_share(segmenter, picture, noisy)
    assert goal.measure_share(segmenter, picture, attacked) > by_noise
