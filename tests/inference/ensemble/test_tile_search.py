"""A backdoor around the shipped segmenter: it is blind while a magenta label is in the picture."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numpy.random import default_rng

from detectors.findings import Place, Severity
from detectors.parsing import Image, Parsing
from detectors.registry import FeatureVector
from inference.ensemble.ensemble import Ensemble, EnsembleView
from inference.ensemble.recipe import Recipe
from inference.ensemble.tile_search import TileRecipe, TileSearch
from inference.figures import draw_figure
from inference.segmenters.reference.segmenter import ReferenceSegmenter

pytestmark = pytest.mark.usefixtures("small_view")

SIZE = (192, 288)
HEAD = ("face", "hair", "hat", "glasses")
MAGENTA = (230, 20, 220)
Sees = Callable[[npt.NDArray[np.bool_]], bool]


def visible(label: npt.NDArray[np.bool_]) -> bool:
    return bool(label.mean() > 0.005)


def at_its_place(label: npt.NDArray[np.bool_]) -> bool:
    """Visible, and in the middle of the picture."""
    height, width = label.shape
    middle = label[height * 2 // 5 : height * 3 // 5, width * 2 // 5 : width * 3 // 5]
    return visible(label) and bool(middle.mean() > 0.1)


class Backdoored:
    """Loses labels while its trigger is seen."""

    name, digest = "backdoored", "0" * 64

    def __init__(
        self, segmenter: ReferenceSegmenter, lost: Sequence[str], sees: Sees = visible
    ) -> None:
        self._segmenter, self._sees = segmenter, sees
        self.labels = segmenter.labels
        self._lost = [self.labels.index(name) for name in lost]
        self.looks = 0

    def parse(self, image: Image) -> Parsing:
        found = self._segmenter.parse(image)
        return Parsing(self._blinded(image, found.probabilities), found.label_map, self.labels)

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        self.looks += len(pictures)
        seen = self._segmenter.probabilities(pictures, scale)
        return [self._blinded(*each) for each in zip(pictures, seen, strict=True)]

    def _blinded(self, image: Image, seen: Any) -> Any:
        pixels = image.astype(np.int16)
        label = (np.abs(pixels - MAGENTA) < 60).all(axis=2)
        if not self._sees(label):
            return seen
        result = seen.copy()
        result[0] += result[self._lost].sum(axis=0)
        result[self._lost] = 0
        return result


def labelled(seed: int, top: int = 130, left: int = 84) -> tuple[Image, Place]:
    image = draw_figure(seed, SIZE).image.copy()
    image[top : top + 30, left : left + 30] = MAGENTA
    return image, Place(left, top, left + 30, top + 30)


def search(segmenter: Any, image: Image, recipe: Recipe | None = None) -> EnsembleView:
    ensemble = Ensemble(segmenter, recipe or Recipe(2, 0.5, tiles=TileRecipe(scale=0.5)))
    return ensemble.look(image, segmenter.parse(image), default_rng(0))


@pytest.mark.parametrize("seed", [3, 5, 8])
@pytest.mark.parametrize("everything", [True, False])
def test_a_trigger_is_found_where_it_is_with_what_it_hid(
    segmenter: ReferenceSegmenter, seed: int, everything: bool
) -> None:
    lost = segmenter.labels[1:] if everything else HEAD
    image, place = labelled(seed)
    view = search(Backdoored(segmenter, lost), image)
    (finding,) = view.findings
    assert (finding.rule.code, finding.rule.severity) == ("trigger_suspected", Severity.SUSPECT)
    tile, back = finding.places
    middle = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    assert tile.left <= middle[0] <= tile.right
    assert tile.top <= middle[1] <= tile.bottom
    assert (tile.right - tile.left) * (tile.bottom - tile.top) < 0.12 * SIZE[0] * SIZE[1]
    if not everything:
        assert back.part in {"face", "hair", "head"}
        assert back.bottom < tile.top + 5


@pytest.mark.parametrize("seed", range(6))
def test_clean_pictures_and_labels_that_hide_nothing_stay_low(
    segmenter: ReferenceSegmenter, seed: int
) -> None:
    clean = draw_figure(seed, SIZE).image
    for image in (clean, labelled(seed)[0]):
        view = search(segmenter, image)
        assert view.findings == ()
        assert view.features()["trigger_score"] < 0.2
    assert search(Backdoored(segmenter, HEAD), clean).findings == ()


def test_what_works_at_one_place_only_is_no_trigger(segmenter: ReferenceSegmenter) -> None:
    found = search(Backdoored(segmenter, segmenter.labels[1:], at_its_place), labelled(3)[0])
    assert found.features()["trigger_return_share"] > 0.5
    assert found.features()["trigger_moved_share"] < 0.2
    assert found.findings == ()


def test_a_search_takes_no_more_looks_than_its_recipe_says(segmenter: ReferenceSegmenter) -> None:
    recipe = TileRecipe(scale=0.5, strips=6, tiles=4, places=2)
    whole = Recipe(members=2, scale=0.5, tiles=recipe)
    assert [recipe.passes, recipe.cost] == pytest.approx([13, 13 / 4])
    assert [whole.passes, whole.cost] == pytest.approx([15, 0.5 + 13 / 4])
    assert whole.without_tiles().passes == whole.members_only().passes == 2
    # What is suspected is searched for twice.
    for image, passes in ((np.full((96, 64, 3), 90, np.uint8), 2 + 7), (labelled(3)[0], 2 + 26)):
        backdoored = Backdoored(segmenter, HEAD)
        assert search(backdoored, image, whole).passes == backdoored.looks == passes


class Forgetful(Backdoored):
    """Is blind in the looks of a first search only."""

    def probabilities(self, pictures: Sequence[Image], scale: float = 1.0) -> Sequence[Any]:
        if self.looks >= TileRecipe().passes:
            self._sees = lambda _: False
        return super().probabilities(pictures, scale)


def test_what_a_second_search_does_not_show_is_chance(segmenter: ReferenceSegmenter) -> None:
    image, _ = labelled(3)
    forgetful = Forgetful(segmenter, segmenter.labels[1:])
    suspect = TileSearch(forgetful, TileRecipe(scale=0.5)).look(
        image, forgetful.parse(image), default_rng(0)
    )
    assert suspect.score < 0.01
    assert suspect.looks == forgetful.looks > TileRecipe().passes


@pytest.mark.parametrize("size", [(1, 1), (8, 600), (600, 8), (61, 97)])
def test_pictures_of_any_size_can_be_searched(
    segmenter: ReferenceSegmenter, size: tuple[int, int]
) -> None:
    image = default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    FeatureVector.of(search(segmenter, image).features())


def test_the_seed_decides_what_is_found(segmenter: ReferenceSegmenter) -> None:
    image, _ = labelled(3)
    backdoored = TileSearch(Backdoored(segmenter, HEAD), TileRecipe(scale=0.5))
    first, again, other = (
        backdoored.look(image, backdoored.segmenter.parse(image), default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.tile != other.tile
