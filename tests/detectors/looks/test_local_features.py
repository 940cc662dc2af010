"""A parse held against another look, in squares whose numbers can be checked by hand."""

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.findings import Place
from detectors.looks.local_features import Contrast
from detectors.registry import FeatureVector

LABELS = ("background", "face", "hair", "pants")
Floats = npt.NDArray[np.float32]
BACKENDS: list[Callable[[Any], Any]] = [np.asarray, torch.asarray]
Square = tuple[int, int, int, int, int]


def _seen(*squares: Square, size: tuple[int, int] = (32, 40)) -> Floats:
    """A sure look: squares of label, left, top, right and bottom on background."""
    label_map = np.zeros(size, np.int64)
    for label, left, top, right, bottom in squares:
        label_map[top:bottom, left:right] = label
    return np.ascontiguousarray(np.eye(len(LABELS), dtype=np.float32)[label_map].transpose(2, 0, 1))


HEAD: Square = (2, 8, 0, 24, 8)
LOWER_HALF: Square = (1, 8, 8, 24, 24)


def _random(seed: int, height: int, width: int) -> Floats:
    raw = np.random.default_rng(seed).exponential(size=(len(LABELS), height, width)) ** 3
    return np.asarray(raw / raw.sum(axis=0), dtype=np.float32)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_face_that_comes_back_is_a_share_and_a_place(backend: Callable[[Any], Any]) -> None:
    """Of 384 pixels of person that the look sees, the 256 of the face are new."""
    contrast = Contrast.of(backend(_seen(HEAD)), backend(_seen(HEAD, LOWER_HALF)), LABELS)
    found = contrast.features("glance")
    FeatureVector.of(found)
    assert found["glance_returned_face_share"] == 1
    assert found["glance_returned_person_share"] == pytest.approx(256 / 384)
    assert found["glance_returned_hair_share"] == found["glance_returned_clothes_share"] == 0
    assert found["glance_withdrawn_share"] == 0
    assert found["glance_tile_divergence"] == pytest.approx(log(2), abs=1e-5)
    assert found["glance_divergence"] == pytest.approx(log(2) * 256 / 384, abs=1e-5)
    place = contrast.place_of("glance_returned_face_share", 320, 800)
    assert place == Place(left=160, top=80, right=480, bottom=240, part="face")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_phantom_is_withdrawn_and_has_a_place_without_a_part(
    backend: Callable[[Any], Any],
) -> None:
    contrast = Contrast.of(backend(_seen(HEAD, LOWER_HALF)), backend(_seen(HEAD)), LABELS)
    found = contrast.features("glance")
    assert found["glance_withdrawn_share"] == pytest.approx(256 / 384)
    assert found["glance_returned_face_share"] == found["glance_returned_person_share"] == 0
    place = contrast.place_of("glance_withdrawn_share", 32, 40)
    assert place == Place(left=8, top=8, right=24, bottom=24)


def test_a_part_that_became_another_returns_the_part_but_no_person() -> None:
    contrast = Contrast.of(_seen((2, *LOWER_HALF[1:])), _seen(LOWER_HALF), LABELS)
    found = contrast.features("glance")
    assert found["glance_returned_face_share"] == 1
    assert found["glance_returned_person_share"] == found["glance_withdrawn_share"] == 0


def test_what_is_torn_is_placed_at_the_worst_tile_with_the_part_that_comes_back_there() -> None:
    seen, nothing = _seen((1, 16, 8, 24, 16)), _seen()
    for parse, look, part in ((nothing, seen, "face"), (seen, nothing, None)):
        place = Contrast.of(parse, look, LABELS).place_of("glance_tile_divergence", 64, 40)
        assert place == Place(left=16, top=16, right=24, bottom=32, part=part)


@pytest.mark.parametrize("backend", BACKENDS)
def test_looks_that_are_equal_differ_in_nothing(backend: Callable[[Any], Any]) -> None:
    look = backend(_seen(HEAD, LOWER_HALF))
    found = Contrast.of(look, look, LABELS).features("glance")
    # The entropy is the parse's own and is never exactly zero.
    assert found.pop("glance_entropy") == pytest.approx(0, abs=1e-6)
    assert set(found.values()) == {0}


def test_without_foreground_everything_is_zero() -> None:
    found = Contrast.of(_seen(), _seen(), LABELS).features("glance")
    assert set(found.values()) == {0}
    place = Contrast.of(_seen(), _seen(), LABELS).place_of("glance_returned_face_share", 64, 80)
    assert place.part == "face"
    assert place.left < place.right


def test_a_speck_makes_no_large_share() -> None:
    """One new pixel of 10,000 is counted as one of fifteen, not as all of the face."""
    contrast = Contrast.of(
        _seen(size=(100, 100)), _seen((1, 50, 50, 51, 51), size=(100, 100)), LABELS
    )
    found = contrast.features("glance")
    assert found["glance_returned_face_share"] == pytest.approx(1 / 15)
    assert found["glance_returned_person_share"] == pytest.approx(1 / 15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 21), st.integers(1, 21))
def test_any_size_gives_valid_features_and_places_in_numpy_as_in_torch(
    seed: int, height: int, width: int
) -> None:
    parse, look = (_random(seed + more, height, width) for more in (0, 1_000))
    ours = Contrast.of(parse, look, LABELS)
    found = ours.features("glance")
    FeatureVector.of(found)
    theirs = Contrast.of(torch.from_numpy(parse), torch.from_numpy(look), LABELS)
    assert theirs.features("glance") == pytest.approx(found, abs=1e-5)
    for feature in found:
        place = ours.place_of(feature, 500, 300)
        assert 0 <= place.left < place.right <= 300
        assert 0 <= place.top < place.bottom <= 500
