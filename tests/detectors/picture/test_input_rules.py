"""The input rules on both sides of every limit, and on pictures that are measured for real."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.parsing import Image
from detectors.picture.input_features import input_features
from detectors.picture.input_rules import InputLimits, input_findings
from detectors.rule_book import BLANK_PICTURE, FLAT_PICTURE, NOISE_PICTURE

LIMITS = InputLimits(min_grey_entropy=1.0, max_flat_share=0.9, max_high_frequency_share=0.5)
PHOTO = {"grey_entropy": 4.0, "flat_share": 0.2, "high_frequency_share": 0.1}
MEASURED = st.fixed_dictionaries(dict.fromkeys(PHOTO, st.floats()))


def _codes(changed: dict[str, float], limits: InputLimits = LIMITS) -> list[str]:
    return [finding.rule.code for finding in input_findings(PHOTO | changed, limits)]


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({}, []),
        ({"grey_entropy": 1.0}, []),
        ({"grey_entropy": np.nextafter(1.0, 0)}, ["blank_picture"]),
        ({"flat_share": 0.9}, []),
        ({"flat_share": np.nextafter(0.9, 1)}, ["flat_picture"]),
        ({"high_frequency_share": 0.5}, []),
        ({"high_frequency_share": np.nextafter(0.5, 1)}, ["noise_picture"]),
        ({"high_frequency_share": nan}, []),
    ],
)
def test_each_limit_holds_up_to_itself(changed: dict[str, float], codes: list[str]) -> None:
    assert _codes(changed) == codes


def test_one_reason_is_enough_and_the_plainest_is_given() -> None:
    noise = {"high_frequency_share": 1.0}
    assert _codes({"grey_entropy": 0.0, "flat_share": 1.0, **noise}) == ["blank_picture"]
    assert _codes({"flat_share": 1.0, **noise}) == ["flat_picture"]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("grey_entropy", 0.25, BLANK_PICTURE),
        ("flat_share", 0.95, FLAT_PICTURE),
        ("high_frequency_share", 0.75, NOISE_PICTURE),
    ],
)
def test_a_finding_carries_the_number_that_made_it(name: str, value: float, rule: object) -> None:
    [finding] = input_findings(PHOTO | {name: value}, LIMITS)
    assert finding.rule is rule
    assert finding.evidence == {name: value}


@given(MEASURED)
def test_any_numbers_give_one_finding_or_none(measured: dict[str, float]) -> None:
    assert len(_codes(measured)) <= 1


@given(MEASURED)
def test_limits_that_are_wide_open_find_nothing(measured: dict[str, float]) -> None:
    assert _codes(measured, InputLimits(-inf, inf, inf)) == []


def _blocks() -> Image:
    levels = np.random.default_rng(2).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.kron(levels, np.ones((32, 32, 1), dtype=np.uint8))


def _noise() -> Image:
    return np.random.default_rng(2).integers(0, 256, (256, 256, 3), dtype=np.uint8)


def _scene() -> Image:
    """Energy falls off with frequency, as in a photograph."""
    steps = np.random.default_rng(2).normal(size=(256, 256)).cumsum(axis=0).cumsum(axis=1)
    levels = (255 * (steps - steps.min()) / np.ptp(steps)).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("image", "codes"),
    [
        (np.full((64, 64, 3), 200, np.uint8), ["blank_picture"]),
        (np.zeros((8, 8, 3), np.uint8), ["blank_picture"]),
        (_blocks(), ["flat_picture"]),
        (_noise(), ["noise_picture"]),
        (_scene(), []),
    ],
    ids=["blank", "tiny", "drawn", "noise", "scene"],
)
def test_measured_pictures_are_told_by_the_limits_as_shipped(
    image: Image, codes: list[str]
) -> None:
    features = input_features(image, 10_000)
    found = input_findings(features, InputLimits())
    assert [finding.rule.code for finding in found] == codes
