"""How near-duplicates differ, and which differences are those of a search.

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
_FLAT_LUMA, _FLAT_CHROMA = 1.0, 0.5
"""A cell with less in it looks like any other flat one."""
_DEVIATIONS = 4.0
_NORMAL_MEDIAN = 0.6745


@dataclass(frozen=True)
class ProbingLimits:
    """Where searches begin; fixed on the calibration photos and the unlabelled ones.

    Attributes:
        max_score: largest score that is normal.
        max_coarse_distance: bits of the perceptual hash within which pictures look alike.
        min_shared_share: share of the segments that pictures of one family share, if they do not
            look alike anyway.
        min_colour_noise: levels by which colour details differ at least.
        min_colour_ratio: colour details over luminance details, of their differences: white noise
            has 4, noise of a colour filter array 2.6, noise after JPEG with halved colours 0.5,
            motion 0.1.
        max_shift: levels by which a cell of the thumbnail may differ: more is motion.
        min_shift: levels below which no cell of the thumbnail was changed on purpose.
        max_noise_shift: levels above which a cell was changed by more than noise.
        min_still_share: share of cells that stay the same to the last bit between two queries.
        min_patch_ratio: colour details over luminance details of a patch in colours; a film of few
            bits has 0.2.
        min_patch_chroma: levels by which its colour details differ at least.
        min_patch_share: share of the thumbnail that such a patch covers, unless it took a change
            back.
        min_even_share: the same of a patch without colour, which is told by its even change alone.
        max_even_shift: levels by which that one changes the picture at most, in both directions.
        min_returned: cells that a change was taken back in, of a patch that is neither.
        min_still_returned: share of cells that stay the same to the last bit then.
        min_strong_noise: levels by which luminance details differ where noise is no camera's.
        min_evenness: evenness of such noise; motion has about 0.5.
        max_mirror: correlation below which two pictures mirror each other.
    """

    max_score: float = 12.0
    max_coarse_distance: int = 31
    min_shared_share: float = 0.25
    min_colour_noise: float = 0.5
    min_colour_ratio: float = 2.8
    max_shift: float = 36.0
    min_shift: float = 0.3
    max_noise_shift: float = 5.0
    min_still_share: float = 0.3
    min_patch_ratio: float = 0.35
    min_patch_chroma: float = 0.2
    min_patch_share: float = 0.03
    min_even_share: float = 0.05
    max_even_shift: float = 17.0
    min_returned: int = 2
    min_still_returned: float = 0.7
    min_strong_noise: float = 9.0
    min_evenness: float = 0.75
    max_mirror: float = -0.33


@dataclass(frozen=True, eq=False)
class Differences:
    """How one picture differs from ``n`` others of its size, ``(n,)`` each, in grey levels.

    Attributes:
        shift: largest difference of a thumbnail's cell, brightness and contrast set equal, less
            what noise of the strength of the luminance details makes by chance.
        even: share of the thumbnail's cells that differ by at least half of the largest difference.
        luma: root mean square of the luminance details.
        evenness: median over the root mean square of the luminance details, 1 for white noise.
        chroma: root mean square of the colour details.
        still: share of cells whose details are the same.
        returned: cells with details that are not those of this picture, but those of an older one.
    """

    shift: _Array
    even: _Array
    luma: _Array
    evenness: _Array
    chroma: _Array
    still: _Array
    returned: npt.NDArray[np.intp]

    @classmethod
    def between(cls, one: Fingerprint, others: Sequence[Fingerprint]) -> "Differences":
        """Compare the appearances.

        Args:
            others: newest first.
        """
        mine, theirs = one.appearance, [other.appearance for other in others]
        luma = np.stack([each.luma for each in theirs]) - mine.luma
        chroma = np.stack([each.chroma for each in theirs]) - mine.chroma
        thumbnails = np.stack([each.thumbnail.ravel() for each in theirs])
        still = (np.abs(luma) < SAME) & (np.abs(chroma) < SAME)
        has_details = (np.abs(mine.luma) >= _FLAT_LUMA) | (np.abs(mine.chroma) >= _FLAT_CHROMA)
        strength = np.sqrt((luma**2).mean(axis=1))
        by_chance = _DEVIATIONS * strength / np.sqrt(one.width * one.height / thumbnails.shape[1])
        shifts = np.abs(_residual(mine.thumbnail.ravel(), thumbnails))
        largest = shifts.max(axis=1)
        return cls(
            np.maximum(largest - by_chance, 0),
            (shifts > largest[:, None] / 2).mean(axis=1, dtype=np.float32),
            strength,
            np.median(np.abs(luma), axis=1) / (_NORMAL_MEDIAN * np.maximum(strength, SAME)),
            np.sqrt((chroma**2).mean(axis=1)),
            still.mean(axis=1, dtype=np.float32),
            _count_returned(still, has_details),
        )

    def differ(self) -> _Flags:
        """Which are no copies to the last bit, ``(n,)``."""
        return (self.still < 1) | (self.shift >= SAME)

    def steps(self, limits: ProbingLimits) -> _Flags:
        """Which differences are those of a search, ``(n,)``."""
        colour_noise = (self.chroma >= limits.min_colour_noise) & (
            self.chroma >= limits.min_colour_ratio * self.luma
        )
        strong_noise = (self.luma >= limits.min_strong_noise) & (
            self.evenness >= limits.min_evenness
        )
        noise = (colour_noise | strong_noise) & (self.shift <= limits.max_noise_shift)
        return noise | self._bounded_patches(limits)

    def _bounded_patches(self, limits: ProbingLimits) -> _Flags:
        """Which differences are areas that were changed on purpose, ``(n,)``."""
        is_bounded = (
            (self.still >= limits.min_still_share)
            & (self.shift >= limits.min_shift)
            & (self.shift <= limits.max_shift)
        )
        is_returned = self.returned >= limits.min_returned
        in_colours = (
            (self.chroma >= limits.min_patch_ratio * self.luma)
            & (self.chroma >= limits.min_patch_chroma)
            & ((self.even >= limits.min_patch_share) | (self.returned > 0))
        )
        evenly = (self.even >= limits.min_even_share) & (self.shift <= limits.max_even_shift)
        taken_back = is_returned & (self.still >= limits.min_still_returned)
        return is_bounded & (in_colours | evenly | taken_back)


def _count_returned(still: _Flags, has_details: _Flags) -> npt.NDArray[np.intp]:
    """In how many cells each picture ``(n, cells)``, newest first, differs though an older one
    does not."""
    older = np.zeros_like(still)
    older[:-1] = np.logical_or.accumulate(still[::-1], axis=0)[::-1][1:]
    counts: npt.NDArray[np.intp] = (~still & older & has_details).sum(axis=1)
    return counts


def _residual(one: _Array, others: _Array) -> _Array:
    """What is left of ``one`` (pixels) by each of ``others`` ``(n, pixels)``, gain and offset set
    equal by least squares."""
    deviations = others - others.mean(axis=1, keepdims=True)
    mine = one - one.mean()
    energy = np.maximum((deviations**2).sum(axis=1), 1e-6)
    gain = (deviations @ mine) / energy
    residual: _Array = mine - gain[:, None] * deviations
    return residual
