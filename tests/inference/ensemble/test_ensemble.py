"""Looks of the shipped segmenter, and of one whose answers can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from numpy.random import default_rng

from detectors.parsing import Image, Parsing
from detectors.parts import PartGroup, group_mask
from detectors.registry import FEATURES, FeatureVector, Group
from inference.ensemble.ensemble import Ensemble
from inference.ensemble.recipe import Recipe
from inference.figures import draw_figure
from inference.segmenters.reference import segmenter as segmenter_module
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.training.attacks import remove_part
from inference.segmenters.reference.training.segmenter import TorchSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS

FULL = Recipe(members=5, scale=1.0, squeezes=True, patches=True)
_BY_TILES = {
    "trigger_return_share",
    "trigger_return_area",
    "trigger_moved_share",
    "trigger_score",
}
_ENSEMBLE = {each.name for each in FEATURES if each.group is Group.ENSEMBLE} - _BY_TILES
_BY_SQUEEZES = {
    name
    for name in _ENSEMBLE
    if name.startswith(("js_", "tile_js_")) and not name.endswith("_consensus")
} | {"hidden_squeeze_share"}


class Threshold:
    """Calls bright pixels a face; keeps what it was shown."""

    name, digest, labels = "threshold", "0" * 64, ("background", "face")

    def __init__(self, side: int = 16) -> None:
        self.calls: list[tuple[tuple[Image, ...], float]] = []
        self._side = side

    def parse(self, image: Image) -> Parsing:
        height, width = image.shape[:2]
        probabilities = self._see(image, self._side)
        label_map = cv2.resize(probabilities.argmax(axis=0).astype(np.uint8), (width, height))
        return Parsing(probabilities, np.asarray(label_map, dtype=np.uint8), self.labels)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        self.calls.append((tuple(pictures), scale))
        return [self._see(picture, max(1, round(self._side * scale))) for picture in pictures]

    def _see(self, image: Image, side: int) -> npt.NDArray[np.float32]:
        small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        face = (small.mean(axis=2) > 128).astype(np.float32)
        return np.stack([1 - face, face])


def _half_bright(height: int = 64, width: int = 64) -> Image:
    picture = np.full((height, width, 3), 30, dtype=np.uint8)
    picture[: height // 2] = 220
    return picture


@pytest.fixture(scope="module")
def photo() -> Image:
    return draw_figure(11, (96, 144)).image


def test_all_looks_of_one_size_are_one_call() -> None:
    segmenter, picture = Threshold(), _half_bright()
    view = Ensemble(segmenter, FULL).look(picture, segmenter.parse(picture), default_rng(0))
    assert [(len(pictures), scale) for pictures, scale in segmenter.calls] == [(10, 1.0), (2, 0.75)]
    assert view.passes == FULL.passes == 12
    assert all(len({each.shape for each in pictures}) == 1 for pictures, _ in segmenter.calls)


def test_the_published_recipe_is_five_passes() -> None:
    segmenter, picture = Threshold(), _half_bright()
    view = Ensemble(segmenter).look(picture, segmenter.parse(picture), default_rng(0))
    assert [len(pictures) for pictures, _ in segmenter.calls] == [5]
    assert view.passes == 5
    assert set(view.features()) == _ENSEMBLE - _BY_SQUEEZES - {"patch_consistency"}


def test_looks_that_agree_with_the_parse_differ_in_nothing() -> None:
    segmenter, picture = Threshold(), _half_bright()
    view = Ensemble(segmenter, FULL).look(picture, segmenter.parse(picture), default_rng(0))
    found = view.features()
    assert set(found) == _ENSEMBLE
    nothing = {name for name in found if name.startswith(("js_", "hidden_area", "hidden_face"))}
    assert {name: found[name] for name in nothing} == pytest.approx(dict.fromkeys(nothing, 0))
    assert (found["worst_group_iou"], found["worst_member_iou"]) == (1, 1)
    assert found["patch_consistency"] == pytest.approx(1)


def test_what_the_parse_lost_is_found_by_every_look() -> None:
    """An attack on the parse alone: it saw nothing, all looks see the upper half."""
    segmenter, picture = Threshold(), _half_bright()
    blind = segmenter.parse(np.zeros_like(picture))
    found = Ensemble(segmenter, FULL).look(picture, blind, default_rng(0)).features()
    assert found["hidden_area_share"] == found["hidden_squeeze_share"] == 0.5
    assert (found["hidden_face_share"], found["worst_group_iou"]) == (1, 0)
    assert found["mutual_information"] == pytest.approx(0, abs=1e-6)


def test_a_smaller_look_is_compared_with_the_parse_at_its_own_size() -> None:
    segmenter, picture = Threshold(side=16), _half_bright()
    view = Ensemble(segmenter, Recipe(scale=0.5)).look(
        picture, segmenter.parse(picture), default_rng(0)
    )
    assert view.mean.shape == (2, 8, 8)
    assert view.variance.shape == view.mutual_information.shape == (8, 8)
    assert view.features()["js_consensus"] == pytest.approx(0, abs=1e-6)


def test_a_large_picture_is_made_smaller_once_before_it_is_changed() -> None:
    segmenter, picture = Threshold(), _half_bright(2_000, 1_000)
    Ensemble(segmenter, Recipe(scale=0.5)).look(picture, segmenter.parse(picture), default_rng(0))
    ((pictures, _),) = segmenter.calls
    height, width = pictures[0].shape[:2]
    assert height * width == pytest.approx(640 * 854 / 4, rel=0.01)
    assert height == pytest.approx(2 * width, abs=2)


@pytest.mark.parametrize(
    ("recipe", "passes", "cost"),
    [
        (Recipe(), 5, 5),
        (Recipe(scale=0.5), 5, 1.25),
        (Recipe(squeezes=True), 10, 10),
        (Recipe(members=3, patches=True), 5, 3 + 2 * 0.75**2),
        (FULL.members_only(), 5, 5),
    ],
)
def test_passes_and_their_cost_are_known_beforehand(
    recipe: Recipe, passes: int, cost: float
) -> None:
    assert recipe.passes == passes
    assert recipe.cost == pytest.approx(cost)


@pytest.mark.usefixtures("small_view")
@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_the_seed_decides_what_the_shipped_segmenter_sees(
    segmenter: ReferenceSegmenter, photo: Image, scale: float
) -> None:
    recipe = Recipe(2, scale, squeezes=True, patches=True)
    ensemble, parsing = Ensemble(segmenter, recipe), segmenter.parse(photo)
    first, again, other = (
        ensemble.look(photo, parsing, default_rng(seed)).features() for seed in (1, 1, 2)
    )
    assert first == pytest.approx(again, nan_ok=True)
    assert first != pytest.approx(other, nan_ok=True)
    FeatureVector.of(first)


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (8, 3_000), (3_000, 8), (61, 97)])
def test_pictures_of_any_size_can_be_looked_at(
    segmenter: ReferenceSegmenter, size: tuple[int, int]
) -> None:
    picture = default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    recipe = Recipe(2, 0.25, squeezes=True, patches=True)
    view = Ensemble(segmenter, recipe).look(picture, segmenter.parse(picture), default_rng(0))
    FeatureVector.of(view.features())


@pytest.fixture
def small_twin(small_view: None, monkeypatch: pytest.MonkeyPatch) -> TorchSegmenter:
    """The shipped network in torch: it sees as much as the other."""
    module = "inference.segmenters.reference.training.segmenter"
    monkeypatch.setattr(f"{module}.WORKING_PIXELS", segmenter_module.WORKING_PIXELS)
    return TorchSegmenter.load(DEFAULT_WEIGHTS)


def test_a_removed_part_shows_up_again(
    segmenter: ReferenceSegmenter, photo: Image, small_twin: TorchSegmenter
) -> None:
    groups = (PartGroup.FACE, PartGroup.HAIR, PartGroup.ARMS)
    attacked = remove_part(small_twin, photo, groups, epsilon=8, steps=40, seed=1)
    clean, gone = segmenter.parse(photo), segmenter.parse(attacked)
    assert group_mask(gone, *groups).sum() < 0.2 * group_mask(clean, *groups).sum()
    ensemble = Ensemble(segmenter, Recipe(5, 0.75))
    before = ensemble.look(photo, clean, default_rng(0)).features()
    after = ensemble.look(attacked, gone, default_rng(0)).features()
    assert after["hidden_area_share"] > 2 * before["hidden_area_share"]
    assert after["hidden_foreground_share"] > 2 * before["hidden_foreground_share"]
    assert before["hidden_face_share"] < 0.2
    assert after["hidden_face_share"] > 0.8
