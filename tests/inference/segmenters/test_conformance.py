"""What every segmenter promises, checked on each kind that can be hosted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest

from detectors.parsing import Image, Parsing
from detectors.parts import unknown_labels
from inference.figures import draw_figure
from inference.hosting import HOSTINGS
from inference.segmenters.base import Segmenter
from inference.segmenters.choice import SegmenterName
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.segmenters.reference.weights import DEFAULT_WEIGHTS
from tests.nearness import is_near

# Fixtures of these names load them.
HOSTED = (
    *("reference", "m2fp", "m2fp_single", "m2fp_bfloat16", "m2fp_single_bfloat16"),
    *("onnx", "onnx_two_heads", "bodypix", "u2netp", "transformers"),
)


@pytest.fixture(scope="module")
def reference() -> Segmenter:
    return ReferenceSegmenter.load(DEFAULT_WEIGHTS)


@pytest.fixture(scope="module", params=HOSTED)
def shipped(request: pytest.FixtureRequest) -> Segmenter:
    segmenter: Segmenter = request.getfixturevalue(request.param)
    return segmenter


@cache
def _figures() -> tuple[Image, Image]:
    """A drawn person and its mirror image."""
    figure = draw_figure(11, (96, 144)).image
    return figure, figure[:, ::-1].copy()


@pytest.fixture(scope="module")
def parsings(shipped: Segmenter) -> list[Parsing]:
    """What each kind makes of both figures."""
    return [shipped.parse(figure) for figure in _figures()]


@pytest.fixture(scope="module")
def looks(shipped: Segmenter) -> Callable[[float], list[Any]]:
    """What each kind sees of both figures, one by one, at a scale."""

    @cache
    def look(scale: float) -> list[Any]:
        return [shipped.probabilities([figure], scale)[0] for figure in _figures()]

    return look


def _noise(height: int, width: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def _same(first: Parsing, second: Parsing) -> bool:
    maps = np.array_equal(first.label_map, second.label_map)
    return maps and np.array_equal(first.probabilities, second.probabilities)


def _check(parsing: Parsing, segmenter: Segmenter, height: int, width: int) -> None:
    probabilities = np.asarray(parsing.probabilities)
    assert parsing.labels == segmenter.labels
    assert parsing.label_map.shape == (height, width)
    assert parsing.label_map.dtype == np.uint8
    assert parsing.label_map.max() < len(segmenter.labels)
    assert len(parsing.parts) == len(segmenter.labels)
    assert unknown_labels(parsing.parts) == ()
    if parsing.persons is not None:
        assert parsing.persons.shape == (height, width)
        assert parsing.persons.dtype == np.uint8
    assert probabilities.dtype == np.float32
    assert probabilities.ndim == 3
    assert probabilities.shape[0] == len(segmenter.labels)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert is_near(probabilities.sum(axis=0), 1, within=1e-4)


def test_every_kind_that_can_be_chosen_is_loaded_and_checked() -> None:
    assert set(HOSTINGS) == set(SegmenterName)
    assert set(SegmenterName) <= set(HOSTED)


def test_it_says_what_it_is(shipped: Segmenter) -> None:
    assert shipped.name.isidentifier()
    assert len(shipped.digest) == 64
    assert int(shipped.digest, 16) >= 0
    assert shipped.labels[0] == "background"
    assert len(set(shipped.labels)) == len(shipped.labels) <= 256


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (8, 16_384), (16_384, 8), (1, 500), (97, 61), (700, 900)]
)
def test_a_picture_of_any_size_is_parsed_at_its_own_size(
    shipped: Segmenter, size: tuple[int, int]
) -> None:
    _check(shipped.parse(_noise(*size)), shipped, *size)


@pytest.mark.parametrize("grey", [0, 255])
def test_a_blank_picture_is_parsed(shipped: Segmenter, grey: int) -> None:
    _check(shipped.parse(np.full((40, 30, 3), grey, dtype=np.uint8)), shipped, 40, 30)


def test_the_same_picture_gives_the_same_parsing(
    shipped: Segmenter, parsings: list[Parsing]
) -> None:
    shipped.parse(_noise(50, 50))
    assert _same(parsings[0], shipped.parse(_figures()[0]))


def test_the_picture_is_not_changed_and_may_be_a_view(
    shipped: Segmenter, parsings: list[Parsing]
) -> None:
    figure, mirror_image = _figures()
    mirrored = figure.copy()[:, ::-1]
    mirrored.flags.writeable = False
    parsing = shipped.parse(mirrored)
    assert np.array_equal(mirrored, mirror_image)
    assert _same(parsing, parsings[1])


def test_threads_share_one_segmenter(shipped: Segmenter, parsings: list[Parsing]) -> None:
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(shipped.parse, _figures()))
    assert all(_same(*pair) for pair in zip(parsings, together, strict=True))


@pytest.mark.parametrize("name", ["reference", "bodypix", "u2netp"])
def test_a_drawn_person_is_told_from_the_place(request: pytest.FixtureRequest, name: str) -> None:
    """How well is measured on photos elsewhere; here a mixed-up channel or axis would show."""
    figure, trained = draw_figure(11), request.getfixturevalue(name)
    found = trained.parse(figure.image).label_map > 0
    truth = figure.label_map > 0
    assert found[truth].mean() > 5 * found[~truth].mean()


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_several_looks_give_what_each_of_them_gives_alone(
    shipped: Segmenter, looks: Callable[[float], list[Any]], scale: float
) -> None:
    together = shipped.probabilities(_figures(), scale)
    for found, alone in zip(together, looks(scale), strict=True):
        assert np.asarray(found).dtype == np.float32
        assert is_near(np.asarray(found).sum(axis=0), 1, within=1e-4)
        assert is_near(found, alone, within=1e-4)


def test_a_look_at_full_scale_is_what_a_parse_sees(
    parsings: list[Parsing], looks: Callable[[float], list[Any]]
) -> None:
    assert is_near(looks(1.0)[0], parsings[0].probabilities, within=1e-4)
