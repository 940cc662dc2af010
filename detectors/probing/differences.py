"""How one picture differs from those like it, and which differences are those of a search.

See :mod:`detectors.probing.sequence` for what tells a search from a camera.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.probing.fingerprint import Fingerprint

_Array = npt.NDArray[np.float32]
_Flags = npt.NDArray[np.bool_]

SAME = 0.07
"""Stored descriptors are rounded to a sixteenth of a level."""
_DEVIATIONS = 4.0
_NORMAL_MEDIAN = 0.6745


@dataclass(frozen=True)
class ProbingLimits:
    """Where searches begin; fixed on the calibration photos, the unlabelled ones and films.

    Attributes:
        max_score: largest score that is normal.
        max_coarse_distance: bits of the perceptual hash within which pictures look alike.
        min_shared_share: share of the segments that pictures of one family share, if they do not
            look alike anyway.
        min_colour_noise: levels by which colour details differ at least.
        min_colour_ratio: colour details over luminance details, of their differences: white noise
            has 4, noise of a colour filter array 2.6, noise after JPEG with halved colours 0.5,
            motion 0.1.
        max_colour_shift: levels by which a cell of the thumbnail may differ under colour noise:
            squares of a search lie under its noise.
        max_weak_noise: levels by which luminance details differ where the noise may be a camera's.
        max_exposure: levels by which brightness differs under weak noise: a camera's wanders.
        max_shift: levels by which a cell of the thumbnail may differ: more is motion.
        min_shift: levels below which no cell of the thumbnail was changed on purpose.
        max_noise_shift: levels above which a cell was changed by more than strong noise.
        min_still_share: share of cells that stay the same to the last bit between two queries.
        min_taken_back: share of the changes of cells that bring back what was there before: a film
            of few bits has at most 0.15, a search that keeps three of five changes 0.27.
        min_strong_noise: levels by which luminance details differ where noise is no camera's.
        min_evenness: evenness of such noise; motion has about 0.5.
        max_mirror: correlation below which two pictures mirror each other.
        min_turns: standard errors by which each picture mirrors the one before.
    """

    max_score: float = 12.0
    max_coarse_distance: int = 31
    min_shared_share: float = 0.25
    min_colour_noise: float = 0.5
    min_colour_ratio: float = 2.8
    max_colour_shift: float = 20.0
    max_weak_noise: float = 6.0
    max_exposure: float = 0.3
    max_shift: float = 36.0
    min_shift: float = 0.3
    max_noise_shift: float = 5.0
    min_still_share: float = 0.3
    min_taken_back: float = 0.2
    min_strong_noise: float = 9.0
    min_evenness: float = 0.75
    max_mirror: float = -0.33
    min_turns: float = 4.0


@dataclass(frozen=True, eq=False)
class Differences:
    """How one picture differs from ``n`` others of its size, ``(n,)`` each, in grey levels.

    Attributes:
        shift: largest difference of a thumbnail's cell, brightness and contrast set equal, less
            what noise of the strength of the luminance details makes by chance.
        exposure: difference of the thumbnail's middle cell, less the same: of brightness as a
            whole, whatever less than half of the picture does.
        luma: root mean square of the luminance details.
        evenness: median over the root mean square of the luminance details, 1 for white noise.
        chroma: size of the colour details in the middle cell, as a standard deviation.
        still: share of cells whose details are the same.
    """

    shift: _Array
    exposure: _Array
    luma: _Array
    evenness: _Array
    chroma: _Array
    still: _Array

    @classmethod
    def between(cls, one: Fingerprint, others: Sequence[Fingerprint]) -> "Differences":
        """Compare the appearances."""
        mine, theirs = one.appearance, [other.appearance for other in others]
        luma = np.stack([each.luma for each in theirs]) - mine.luma
        chroma = np.stack([each.chroma for each in theirs]) - mine.chroma
        thumbnails = np.stack([each.thumbnail.ravel() for each in theirs])
        thumbnail = mine.thumbnail.ravel()
        still = (np.abs(luma) < SAME) & (np.abs(chroma) < SAME)
        strength = np.sqrt((luma**2).mean(axis=1))
        by_chance = strength / np.sqrt(one.width * one.height / thumbnails.shape[1])
        shift = np.abs(_residual(thumbnail, thumbnails)).max(axis=1) - _DEVIATIONS * by_chance
        exposure = np.median(np.abs(thumbnails - thumbnail), axis=1) - by_chance
        return cls(
            np.maximum(shift, 0),
            np.maximum(exposure, 0),
            strength,
            _typical_size(luma) / np.maximum(strength, SAME),
            _typical_size(chroma),
            still.mean(axis=1, dtype=np.float32),
        )

    def differ(self) -> _Flags:
        """Which are no copies to the last bit, ``(n,)``."""
        return (self.still < 1) | (self.shift >= SAME)

    def noise(self, limits: ProbingLimits) -> _Flags:
        """Which differences are noise of a search, ``(n,)``."""
        strong = (
            (self.luma >= limits.min_strong_noise)
            & (self.evenness >= limits.min_evenness)
            & (self.shift <= limits.max_noise_shift)
        )
        return strong | self._colour_noise(limits)

    def patches(self, limits: ProbingLimits) -> _Flags:
        """Which differences are bounded patches, ``(n,)``."""
        return (
            (self.still >= limits.min_still_share)
            & (self.shift >= limits.min_shift)
            & (self.shift <= limits.max_shift)
        )

    def _colour_noise(self, limits: ProbingLimits) -> _Flags:
        """By the middle cells: the edges of squares that lie under the noise are in few."""
        luma = self.luma * self.evenness
        is_steady = (luma > limits.max_weak_noise) | (self.exposure <= limits.max_exposure)
        return (
            (self.chroma >= limits.min_colour_noise)
            & (self.chroma >= limits.min_colour_ratio * luma)
            & (self.shift <= limits.max_colour_shift)
            & is_steady
        )


def _typical_size(details: _Array) -> _Array:
    """Standard deviation of normal values ``(n, cells)`` by their median, ``(n,)``."""
    size: _Array = (np.median(np.abs(details), axis=1) / _NORMAL_MEDIAN).astype(np.float32)
    return size


def _residual(one: _Array, others: _Array) -> _Array:
    """What is left of ``one`` (pixels) by each of ``others`` ``(n, pixels)``, gain and offset set
    equal by least squares."""
    deviations = others - others.mean(axis=1, keepdims=True)
    mine = one - one.mean()
    energy = np.maximum((deviations**2).sum(axis=1), 1e-6)
    gain = (deviations @ mine) / energy
    residual: _Array = mine - gain[:, None] * deviations
    return residual
