"""Input features: what the pixels alone say, before any model has seen them.

Noise statistics are taken at native resolution on a central crop, because rescaling would remove
exactly the high frequencies that gradient attacks leave behind.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import nan

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image
from detectors.picture.colour_detail import colour_detail_tile

Grey = npt.NDArray[np.uint8]

_CROP_SIDE = 512
_TILE, _HALVINGS = 8, 3
_FLAT_RANGE = 2
_RINGS = 32


def input_features(image: Image, upload_bytes: int) -> dict[str, float]:
    """Measure the ``input`` group, faces left out.

    Args:
        image: RGB picture ``(H, W, 3)`` uint8.
        upload_bytes: size of the uploaded file.
    """
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.uint8)
    crop = central_crop(grey, _CROP_SIDE)
    return {
        "upload_bytes": float(upload_bytes),
        "width": float(width),
        "height": float(height),
        "grey_entropy": grey_entropy(grey),
        "flat_share": flat_share(grey),
        "laplacian_variance": laplacian_variance(crop),
        "median_residual": float(cv2.absdiff(cv2.medianBlur(crop, 3), crop).mean()),
        "jpeg_blockiness": jpeg_blockiness(crop),
        "colour_detail_tile": colour_detail_tile(image),
        **spectrum_features(crop),
    }


def central_crop(grey: Grey, side: int) -> Grey:
    """The central ``side × side`` pixels, aligned to the 8-pixel grid of JPEG blocks."""
    top = max(0, (grey.shape[0] - side) // 2) // _TILE * _TILE
    left = max(0, (grey.shape[1] - side) // 2) // _TILE * _TILE
    return np.ascontiguousarray(grey[top : top + side, left : left + side])


def grey_entropy(grey: Grey) -> float:
    """Shannon entropy of the grey-level histogram in nats, 0 (blank) to ln 256.

    Tells blank, synthetic and pure-noise pictures; it says next to nothing about gradient attacks.
    """
    share = cv2.calcHist([grey], [0], None, [256], [0, 256]).astype(np.float64) / grey.size
    share = share[share > 0]
    return float(max(0.0, -(share * np.log(share)).sum()))


def flat_share(grey: Grey) -> float:
    """Share of 8-pixel tiles whose grey levels differ by less than three."""
    rows, columns = grey.shape[0] // _TILE, grey.shape[1] // _TILE
    if not rows or not columns:
        return float(np.ptp(grey) <= _FLAT_RANGE)
    tiles = grey[: rows * _TILE, : columns * _TILE].reshape(rows, _TILE, columns * _TILE)
    spread = _fold(np.maximum, tiles.max(axis=1)) - _fold(np.minimum, tiles.min(axis=1))
    return float((spread <= _FLAT_RANGE).mean())


def _fold(choose: np.ufunc, lines: Grey) -> Grey:
    """One value for each tile of ``lines`` (rows of tiles, columns of pixels).

    Halved three times, for numpy takes three times as long over short runs of values.
    """
    for _ in range(_HALVINGS):
        lines = choose(lines[:, ::2], lines[:, 1::2])
    return lines


def spectrum_features(crop: Grey) -> dict[str, float]:
    """Energy share above half the Nyquist frequency, radial slope and strongest periodic peak.

    Natural pictures fall off as a power of frequency (Field, JOSA A 1987); perturbations lift the
    high end, printed patterns and resampling add peaks. NaN where the picture is tiny or blank.
    """
    if min(crop.shape) < 16 or crop.min() == crop.max():
        return dict.fromkeys(("high_frequency_share", "spectral_slope", "periodic_peak"), nan)
    bins = _frequency_bins(*crop.shape)
    waves = np.fft.rfft2((crop - crop.mean()) * bins.window)
    # The square of ``abs`` would draw a root for each of them first.
    energy = waves.real**2 + waves.imag**2
    sums = np.bincount(bins.rings.ravel(), weights=energy.ravel(), minlength=_RINGS)
    profile = sums / bins.counts
    log_profile = np.log(profile + 1e-9)
    frequency = np.log((np.arange(_RINGS) + 0.5) / (2 * _RINGS))
    peaks = (energy > 1e-3 * profile[1:].max(initial=1e-9)) & bins.may_be_peak
    heights = np.log(energy[peaks] + 1e-9) - log_profile[bins.rings[peaks]]
    return {
        "high_frequency_share": float(energy[bins.is_high].sum() / (energy.sum() + 1e-9)),
        "spectral_slope": float(np.polyfit(frequency[1:], log_profile[1:], 1)[0]),
        "periodic_peak": float(heights.max(initial=0.0)),
    }


@dataclass(frozen=True, eq=False)
class _Bins:
    """What follows from the size of a crop alone: its window, and where each frequency belongs."""

    window: npt.NDArray[np.float64]
    rings: npt.NDArray[np.intp]
    counts: npt.NDArray[np.intp]
    may_be_peak: npt.NDArray[np.bool_]
    is_high: npt.NDArray[np.bool_]


# Most pictures are larger than the crop, so that one size serves nearly all of them.
@lru_cache(maxsize=4)
def _frequency_bins(height: int, width: int) -> _Bins:
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    rings = np.clip((radius * 2 * _RINGS).astype(np.intp), 0, _RINGS - 1)
    return _Bins(
        np.outer(np.hanning(height), np.hanning(width)),
        rings,
        np.maximum(np.bincount(rings.ravel(), minlength=_RINGS), 1),
        radius > 0.1,
        radius > 0.25,
    )


def laplacian_variance(crop: Grey) -> float:
    """How much a picture changes from pixel to pixel: low where it is blurred."""
    # Whole numbers of 16 bits hold all values, and their mean and deviation take one pass.
    _, deviation = cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))
    return float(deviation[0, 0] ** 2)


def jpeg_blockiness(crop: Grey) -> float:
    """Mean step across 8-pixel block borders over the mean step elsewhere; about 1 without JPEG.

    After Wang, Bovik & Evans, ICIP 2000. NaN where the picture is too small.
    """
    if min(crop.shape) <= _TILE:
        return nan
    across = cv2.absdiff(crop[:, 1:], crop[:, :-1]).mean(axis=0)
    down = cv2.absdiff(crop[1:], crop[:-1]).mean(axis=1)
    return float(np.mean([_border_ratio(across), _border_ratio(down)]))


def _border_ratio(steps: npt.NDArray[np.float64]) -> float:
    """Of mean steps from each line of pixels to the next."""
    border = np.arange(steps.size) % _TILE == _TILE - 1
    return float((steps[border].mean() + 1e-3) / (steps[~border].mean() + 1e-3))
