"""Of all that recurs, only noise that lies over pictures everywhere is chosen, once each."""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest

from detectors.parsing import Image
from detectors.perturbations.perturbation_choice import MIN_MEMBERS, choose_perturbations
from detectors.perturbations.perturbation_match import MIN_ORDINARY, PerturbationMatcher
from detectors.perturbations.residuals import Spectrum, residual_of, spectrum_of
from detectors.perturbations.signatures import SignatureError
from tests.detectors.perturbation_pictures import (
    by_one_sensor,
    lay_over,
    noise,
    save_as_jpeg,
    scene,
    with_border,
    with_watermark,
    with_watermark_everywhere,
)

PLAIN, LAID_OVER = (1, 3), (0, 2, 4, 5, 6, 7, 8, 9)


@pytest.fixture(scope="module")
def ordinary() -> list[Image]:
    return [scene(seed) for seed in range(200, 200 + MIN_ORDINARY)]


@pytest.fixture(scope="module")
def flagged() -> list[Image]:
    return [scene(seed) if seed in PLAIN else lay_over(scene(seed), noise()) for seed in range(10)]


def test_a_perturbation_is_chosen_once_and_found_again(
    flagged: list[Image], ordinary: list[Image]
) -> None:
    (choice,) = choose_perturbations(flagged, ordinary)
    assert choice.members == LAID_OVER
    assert choice.strength > 2 * choice.limit
    matcher = PerturbationMatcher(choice.signature)
    strengths = {
        "same size": matcher.look(_spectrum(lay_over(scene(50), noise()))),
        "another size": matcher.look(_spectrum(lay_over(scene(51, 500, 400), noise()))),
        "JPEG": matcher.look(_spectrum(save_as_jpeg(lay_over(scene(52), noise()), 75))),
        "made smaller": matcher.look(_spectrum(_shrink(lay_over(scene(53, 720, 540), noise())))),
        "mirrored": matcher.look(_spectrum(lay_over(scene(55), noise())[:, ::-1])),
        "cropped": matcher.look(_spectrum(lay_over(scene(56), noise())[25:, 19:])),
        "moved": matcher.look(_spectrum(lay_over(scene(54), np.roll(noise(), (40, 70), (0, 1))))),
    }
    assert min(strengths.values()) > choice.limit, strengths
    plain = [matcher.look(_spectrum(scene(seed))) for seed in range(60, 90)]
    assert max(plain) < choice.limit


def test_a_clean_copy_of_a_flagged_picture_does_not_show_it(
    flagged: list[Image], ordinary: list[Image]
) -> None:
    (choice,) = choose_perturbations(flagged, ordinary)
    matcher = PerturbationMatcher(choice.signature)
    copies = [matcher.look(_spectrum(scene(seed))) for seed in LAID_OVER]
    assert max(copies) < choice.limit


def test_two_perturbations_are_two_signatures(ordinary: list[Image]) -> None:
    pictures = [lay_over(scene(seed), noise(seed=seed % 2)) for seed in range(16)]
    first, second = choose_perturbations(pictures, ordinary)
    assert {first.members, second.members} == {tuple(range(0, 16, 2)), tuple(range(1, 16, 2))}


@pytest.mark.parametrize(
    "change",
    [
        by_one_sensor,
        with_watermark,
        partial(with_watermark_everywhere, colour=(255, 255, 255)),
        partial(with_watermark_everywhere, colour=(220, 0, 0)),
        with_border,
        *(partial(save_as_jpeg, quality=quality) for quality in (20, 50, 90)),
    ],
    ids=[
        *("sensor", "watermark", "white watermark everywhere", "red watermark everywhere"),
        *("border", "jpeg 20", "jpeg 50", "jpeg 90"),
    ],
)
def test_what_cameras_and_people_lay_over_pictures_is_no_perturbation(
    change: Callable[[Image], Image], ordinary: list[Image]
) -> None:
    pictures = [change(scene(seed)) for seed in range(16)]
    assert choose_perturbations(pictures, ordinary) == ()


def test_what_ordinary_pictures_show_too_is_not_chosen(flagged: list[Image]) -> None:
    usual = [lay_over(scene(300 + number), noise()) for number in range(MIN_ORDINARY)]
    assert choose_perturbations(flagged, usual) == ()


def test_nothing_recurs_in_plain_scenes(ordinary: list[Image]) -> None:
    assert choose_perturbations([scene(seed) for seed in range(8)], ordinary) == ()
    assert choose_perturbations([], ordinary) == ()


def test_a_few_pictures_are_a_coincidence(flagged: list[Image], ordinary: list[Image]) -> None:
    few = [flagged[place] for place in LAID_OVER[: MIN_MEMBERS - 1]]
    assert choose_perturbations([*few, flagged[1]], ordinary) == ()


def test_without_ordinary_pictures_nothing_is_chosen(flagged: list[Image]) -> None:
    with pytest.raises(SignatureError, match="2 ordinary pictures do not say"):
        choose_perturbations(flagged, [scene(1), scene(2)])


def _spectrum(image: Image) -> Spectrum:
    return spectrum_of(residual_of(image))


def _shrink(image: Image) -> Image:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
