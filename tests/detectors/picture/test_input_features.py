from math import isnan, log, nan

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.parsing import Image
from detectors.picture.input_features import (
    central_crop,
    flat_share,
    grey_entropy,
    input_features,
    jpeg_blockiness,
    spectrum_features,
)
from detectors.registry import FeatureVector


def _hills(side: int = 256) -> Image:
    """A smooth picture: its energy lies at low frequencies, as that of a photo does."""
    rough = np.random.default_rng(3).normal(0, 1, (side, side))
    smooth = cv2.GaussianBlur(rough, (0, 0), 6)
    grey = np.clip(128 + 55 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _noisy(image: Image, strength: float) -> Image:
    noise = np.random.default_rng(4).normal(0, strength, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_any_picture_is_measured_within_the_registrys_ranges(
    height: int, width: int, seed: int, contrast: int
) -> None:
    shape = (height, width, 3)
    image = np.random.default_rng(seed).integers(0, contrast + 1, shape).astype(np.uint8)
    vector = FeatureVector.of(input_features(image, upload_bytes=100))
    assert (vector["width"], vector["height"], vector["upload_bytes"]) == (width, height, 100)


def test_a_blank_picture_has_no_entropy_no_contrast_and_no_spectrum() -> None:
    found = input_features(np.full((64, 64, 3), 77, dtype=np.uint8), 1)
    assert (found["grey_entropy"], found["flat_share"]) == (0.0, 1.0)
    assert (found["laplacian_variance"], found["median_residual"]) == (0.0, 0.0)
    assert isnan(found["spectral_slope"])


def test_entropy_of_known_histograms() -> None:
    halves = np.array([[0, 255]] * 8, dtype=np.uint8)
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert grey_entropy(halves) == pytest.approx(log(2))
    assert grey_entropy(levels) == pytest.approx(log(256))


def test_flat_share_counts_tiles_without_contrast() -> None:
    grey = np.zeros((16, 16), dtype=np.uint8)
    grey[0, 0] = 2
    assert flat_share(grey) == 1.0
    grey[0, 0] = 3
    assert flat_share(grey) == 0.75
    assert flat_share(grey[:4, :4]) == 0.0


def test_noise_lifts_everything_that_should_see_it() -> None:
    clean, noisy = _hills(), _noisy(_hills(), 8)
    before, after = input_features(clean, 1), input_features(noisy, 1)
    for name in ("high_frequency_share", "laplacian_variance", "median_residual"):
        assert after[name] > 3 * before[name], name
    assert after["spectral_slope"] > before["spectral_slope"]


def test_a_printed_pattern_shows_as_a_periodic_peak() -> None:
    clean = _noisy(_hills(), 2)[..., 0]
    stripes = (6 * np.sin(np.arange(256) * 2 * np.pi / 4)).astype(np.int16)
    patterned = np.clip(clean.astype(np.int16) + stripes, 0, 255).astype(np.uint8)
    peak = spectrum_features(patterned)["periodic_peak"]
    assert peak > spectrum_features(clean)["periodic_peak"] + 1


def test_strong_compression_shows_at_block_borders() -> None:
    picture = _noisy(_hills(), 6)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 8])
    compressed = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
    assert jpeg_blockiness(picture[..., 0]) == pytest.approx(1, abs=0.1)
    assert jpeg_blockiness(compressed) > 1.5


def test_a_picture_without_block_borders_has_no_blockiness() -> None:
    assert jpeg_blockiness(np.zeros((8, 8), dtype=np.uint8)) == pytest.approx(nan, nan_ok=True)


def test_the_crop_is_central_and_on_the_grid_of_jpeg_blocks() -> None:
    grey = np.arange(100 * 90).reshape(100, 90).astype(np.uint8)
    assert np.array_equal(central_crop(grey, 64), grey[16:80, 8:72])
    assert np.array_equal(central_crop(grey, 512), grey)


def test_measuring_does_not_change_the_picture() -> None:
    picture = _hills(64)
    before = picture.copy()
    input_features(picture, 1)
    assert np.array_equal(picture, before)
