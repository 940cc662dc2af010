"""What is left of a picture without its content, and how two such rests lie over each other.

A perturbation that is laid over many pictures is stretched to each of them, since the network sees
all of them at one size. So each picture is brought to one square grid. There, all frequencies count
the same (phase-only correlation: Kuglin & Hines, 1975): what a picture shows has a few strong ones,
a JPEG grid a handful, an edge a line of them; noise has all. Only colour is looked at: photographs
have little of it that is fine, and a perturbation that follows a gradient has much.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detectors.parsing import Image

GRID = 128
"""Rows and columns of the grid."""
CHANNELS = 2
"""Cr and Cb."""
_BLUR_SIGMA = 4.0
# Beyond this it is content. Where that is strong, it must not drown the rest.
_MAX_LEVELS, _FLOOR = 16.0, 1.5
# A large picture is thinned out first: what the network sees of it is coarser by far.
_MAX_SIDE = 4 * GRID
# In periods a picture: below is what it shows.
_MIN_FREQUENCY = 6
_TINY = 1e-6

Residual = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]


@dataclass(frozen=True)
class Overlap:
    """How clearly two pictures share a rest, and how they have to be moved for it.

    Attributes:
        strength: the highest point of their correlation, in deviations of all of it. Chance comes
            to about 4.
        move: rows and columns of the grid by which the second lies further down and right.
    """

    strength: float
    move: tuple[int, int]


def residual_of(image: Image) -> Residual:
    """The fine detail of a picture's colours in levels, at most 16: ``(CHANNELS, GRID, GRID)``."""
    colours = cv2.cvtColor(_resize(image), cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32)
    detail = colours - cv2.GaussianBlur(colours, (0, 0), _BLUR_SIGMA)
    cut = np.clip(detail, -_MAX_LEVELS, _MAX_LEVELS)
    return np.ascontiguousarray(cut.transpose(2, 0, 1), dtype=np.float32)


def spectrum_of(residual: Residual) -> Spectrum:
    """The phases of what is fine: ``(CHANNELS, GRID, GRID // 2 + 1)``, each of amount 1 or 0."""
    spectrum = np.fft.rfft2(level_out(residual)) * _BAND
    return (spectrum / np.maximum(np.abs(spectrum), _TINY)).astype(np.complex64)


def level_out(residual: Residual) -> Residual:
    """The same with about equal energy everywhere, so that one busy corner does not decide."""
    energy = [cv2.GaussianBlur(each * each, (0, 0), _BLUR_SIGMA) for each in residual]
    return np.asarray(residual / np.sqrt(np.stack(energy) + _FLOOR**2), dtype=np.float32)


def overlap(first: Spectrum, second: Spectrum) -> Overlap:
    """Where two rests agree best."""
    product = (second * first.conj()).sum(axis=0)
    surface = np.fft.irfft2(product, (GRID, GRID))
    peak = int(np.argmax(surface))
    deviation = max(float(surface.std()), _TINY)
    return Overlap(float(surface.flat[peak]) / deviation, (peak // GRID, peak % GRID))


def move_back(residual: Residual, move: tuple[int, int]) -> Residual:
    """The second of two residuals, laid over the first."""
    return np.roll(residual, (-move[0], -move[1]), (1, 2))


def _resize(image: Image) -> Image:
    step = max(1, min(image.shape[:2]) // _MAX_SIDE)
    way = cv2.INTER_AREA if min(image.shape[:2]) >= GRID else cv2.INTER_LINEAR
    thin = np.ascontiguousarray(image[::step, ::step])
    return cv2.resize(thin, (GRID, GRID), interpolation=way).astype(np.uint8)


def _make_band() -> npt.NDArray[np.float32]:
    """Neither what a picture shows, nor the rows and columns of borders and lines."""
    down = np.abs(np.fft.fftfreq(GRID, 1 / GRID))[:, None]
    across = np.fft.rfftfreq(GRID, 1 / GRID)[None, :]
    is_fine = np.hypot(down, across) >= _MIN_FREQUENCY
    is_in_band = is_fine & (down >= 1) & (across >= 1)
    return np.asarray(is_in_band, dtype=np.float32)


_BAND = _make_band()
