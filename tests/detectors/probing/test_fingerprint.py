"""Fingerprints: what they keep, what they survive, what only the secret tells."""

from collections.abc import Callable
from hashlib import sha256

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.parsing import Image
from detectors.probing.appearance import Appearance
from detectors.probing.cells import take_crops
from detectors.probing.fingerprint import Fingerprint, Fingerprinter
from detectors.probing.hash_bits import BITS
from detectors.probing.outline import changed_share, outline
from detectors.probing.perceptual import perceptual_hash
from detectors.probing.segments import SKETCH_SIZE, segment_sketch, shared_share

Take = Callable[[Image], Fingerprint]
_FINGERPRINTER = Fingerprinter(b"a secret of the properties")
_sides = st.integers(1, 90)
pictures = st.tuples(_sides, _sides, st.just(3)).flatmap(
    lambda shape: arrays.arrays(np.uint8, shape)
)
sketches = st.sets(st.integers(-(2**63), 2**63 - 1), max_size=SKETCH_SIZE).map(
    lambda values: tuple(sorted(values))
)


@settings(max_examples=40, deadline=None)
@given(pictures)
def test_any_picture_has_a_fingerprint_that_survives_its_bytes(picture: Image) -> None:
    label_map = np.zeros(picture.shape[:2], dtype=np.uint8)
    taken = _FINGERPRINTER.of(picture, label_map)
    back = Fingerprint.from_bytes(taken.to_bytes())
    assert (back.size, back.sketch, back.coarse) == (taken.size, taken.sketch, taken.coarse)
    assert back.index_keys() == taken.index_keys()
    assert np.array_equal(back.outline, taken.outline)
    assert back.to_bytes() == taken.to_bytes()
    assert len(taken.to_bytes()) < 1300
    again = _FINGERPRINTER.of(picture.copy(), label_map)
    assert again.to_bytes() == taken.to_bytes()


@pytest.mark.parametrize(
    ("height", "width", "digest"),
    [(600, 700, "9df4fd69a1ef4f67"), (90, 45, "3738448c117ecb0b")],
)
def test_what_is_stored_compares_with_what_is_taken_now(
    height: int, width: int, digest: str
) -> None:
    """All but the thumbnail and the coarse hash, which depend on how OpenCV rounds."""
    levels = np.arange(height * width * 3) * 7919 % 251
    picture = levels.astype(np.uint8).reshape(height, width, 3)
    label_map = (np.add.outer(np.arange(height), np.arange(width)) // 9 % 15).astype(np.uint8)
    taken = Fingerprinter(b"secret" * 6).of(picture, label_map)
    parts = (
        np.array(taken.sketch, dtype="<i8"),
        taken.outline,
        taken.appearance.luma,
        taken.appearance.chroma,
    )
    assert sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16] == digest


@settings(max_examples=40, deadline=None)
@given(pictures)
def test_sketches_are_short_ascending_and_what_a_column_can_hold(picture: Image) -> None:
    sketch = segment_sketch(take_crops(picture), b"key")
    assert 1 <= len(sketch) <= SKETCH_SIZE
    assert list(sketch) == sorted(set(sketch))
    assert all(-(2**63) <= value < 2**63 for value in sketch)


@given(sketches, sketches)
def test_shared_shares_are_symmetric_shares(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert 0 <= shared_share(one, other) == shared_share(other, one) <= 1
    assert shared_share(one, one) == (1 if one else 0)


def test_another_secret_gives_another_fingerprint(scene: Image) -> None:
    label_map = np.zeros(scene.shape[:2], dtype=np.uint8)
    one, other = (Fingerprinter(salt).of(scene, label_map) for salt in (b"one" * 9, b"two" * 9))
    assert not {*one.sketch} & {*other.sketch}
    assert not np.allclose(one.appearance.luma, other.appearance.luma)
    assert one.coarse == other.coarse


def test_a_small_patch_leaves_most_segments_as_they_were(scene: Image) -> None:
    patched = scene.copy()
    patched[40:80, 40:80] = 255
    shared = shared_share(
        segment_sketch(take_crops(scene), b"key"), segment_sketch(take_crops(patched), b"key")
    )
    assert shared > 0.5
    assert (
        shared_share(
            segment_sketch(take_crops(scene), b"key"),
            segment_sketch(take_crops(scene[::-1]), b"key"),
        )
        == 0
    )


@pytest.mark.parametrize("scale", [0.5, 0.75, 2.0])
def test_the_coarse_hash_survives_another_size(scene: Image, scale: float) -> None:
    size = (round(scene.shape[1] * scale), round(scene.shape[0] * scale))
    smaller = np.asarray(cv2.resize(scene, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    assert perceptual_hash(scene).distance(perceptual_hash(smaller)) <= 16


def test_the_coarse_hash_tells_pictures_apart(scene: Image) -> None:
    distance = perceptual_hash(scene).distance(perceptual_hash(scene[:, ::-1]))
    assert BITS / 3 < distance < BITS * 2 / 3
    assert perceptual_hash(scene).quality > 50


def test_a_picture_without_structure_is_found_by_its_segments_alone(take: Take) -> None:
    blank = take(np.full((100, 100, 3), 200, dtype=np.uint8))
    assert blank.coarse.quality == 0
    assert len(blank.index_keys()) <= 6


def test_near_duplicates_have_a_key_in_common(take: Take, scene: Image) -> None:
    noise = np.random.default_rng(1).normal(0, 8, scene.shape)
    noisy = np.clip(scene + noise, 0, 255).astype(np.uint8)
    assert {*take(scene).index_keys()} & {*take(noisy).index_keys()}
    assert not {*take(scene).index_keys()} & {*take(scene[::-1]).index_keys()}


def test_details_estimate_how_strong_white_noise_is(take: Take, scene: Image) -> None:
    noise = np.random.default_rng(1).normal(0, 4, scene.shape)
    middle = np.clip(scene, 30, 225)
    noisy = np.clip(np.rint(middle + noise), 0, 255).astype(np.uint8)
    clean, changed = take(middle).appearance, take(noisy).appearance
    # Weights 1, 1 and 2 of the colours make six times the noise's variance; 1/4, 1/4, 1/2, 3/8.
    assert np.sqrt(((changed.chroma - clean.chroma) ** 2).mean()) == pytest.approx(9.8, rel=0.25)
    assert np.sqrt(((changed.luma - clean.luma) ** 2).mean()) == pytest.approx(2.45, rel=0.25)


def test_another_version_or_length_is_refused(take: Take, scene: Image) -> None:
    data = take(scene).to_bytes()
    for wrong in (b"", b"\x02" + data[1:]):
        with pytest.raises(ValueError, match="another version"):
            Fingerprint.from_bytes(wrong)
    with pytest.raises(ValueError, match="values, not"):
        Appearance.from_bytes(data[:20])


def test_outlines_say_which_parts_changed() -> None:
    label_map = np.zeros((160, 80), dtype=np.uint8)
    label_map[80:] = 3
    other = label_map.copy()
    other[120:] = 5
    one, two = outline(label_map), outline(other)
    assert one.shape == (16, 16)
    assert changed_share(one, two) == 0.5
    assert changed_share(one, one) == 0
    assert changed_share(outline(np.zeros((3, 2), np.uint8)), one) == 1
