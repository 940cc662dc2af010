"""Sequence scores: whether near-duplicates differ as the queries of a search do.

A search asks about one picture again and again, changed a little. What it changes tells it from a
camera that looks at one scene, and from one picture that goes round in many files:

``colour noise``
    Red, green and blue change independently from pixel to pixel. Motion changes them together, and
    files of cameras hold colour at half the resolution.
``bounded patches``
    Some parts change by a few levels while others stay the same to the last bit. A camera's noise
    is everywhere; a moving person changes more than a few levels.
``strong noise``
    What is large stands still under noise that is stronger than a camera's.
``mirrored noise``
    Two pictures lie on opposite sides of the rest: a search takes every direction both ways.

The score of a picture is the number of recent pictures of its family that it forms a step with,
less half of those that differ from it in other ways: a picture that goes round has more of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt

from detectors.findings import Finding
from detectors.probing.fingerprint import MIN_QUALITY, Fingerprint
from detectors.probing.outline import changed_share
from detectors.probing.segments import shared_share
from detectors.rule_book import PROBING_SEQUENCE

_Array = npt.NDArray[np.float32]
_Flags = npt.NDArray[np.bool_]


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
    min_strong_noise: float = 9.0
    min_evenness: float = 0.75
    max_mirror: float = -0.33


@dataclass(frozen=True, eq=False)
class Member:
    """A picture of a family.

    Attributes:
        received_at: UTC.
        family: request id of the family's first picture.
    """

    received_at: datetime
    client: str
    fingerprint: Fingerprint
    family: str


@dataclass(frozen=True, eq=False)
class Differences:
    """How one picture differs from ``n`` others of its size, ``(n,)`` each, in grey levels.

    Attributes:
        shift: largest difference of a thumbnail's cell, brightness and contrast set equal, less
            what noise of the strength of the luminance details makes by chance.
        luma: root mean square of the luminance details.
        evenness: median over the root mean square of the luminance details, 1 for white noise.
        chroma: root mean square of the colour details.
        still: share of cells whose details are the same.
    """

    shift: _Array
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
        still = (np.abs(luma) < _SAME) & (np.abs(chroma) < _SAME)
        strength = np.sqrt((luma**2).mean(axis=1))
        by_chance = _DEVIATIONS * strength / np.sqrt(one.width * one.height / thumbnails.shape[1])
        shift = np.abs(_residual(mine.thumbnail.ravel(), thumbnails)).max(axis=1) - by_chance
        return cls(
            np.maximum(shift, 0),
            strength,
            np.median(np.abs(luma), axis=1) / (_NORMAL_MEDIAN * np.maximum(strength, _SAME)),
            np.sqrt((chroma**2).mean(axis=1)),
            still.mean(axis=1, dtype=np.float32),
        )

    def differ(self) -> _Flags:
        """Which are no copies to the last bit, ``(n,)``."""
        return (self.still < 1) | (self.shift >= _SAME)

    def steps(self, limits: ProbingLimits) -> _Flags:
        """Which differences are those of a search, ``(n,)``."""
        colour_noise = (self.chroma >= limits.min_colour_noise) & (
            self.chroma >= limits.min_colour_ratio * self.luma
        )
        strong_noise = (self.luma >= limits.min_strong_noise) & (
            self.evenness >= limits.min_evenness
        )
        noise = colour_noise | strong_noise
        patches = (self.still >= limits.min_still_share) & (self.shift >= limits.min_shift)
        return (noise & (self.shift <= limits.max_noise_shift)) | (
            patches & (self.shift <= limits.max_shift)
        )


_SAME = 0.07
"""Stored descriptors are rounded to a sixteenth of a level."""
_DEVIATIONS = 4.0
_NORMAL_MEDIAN = 0.6745
_FEW = 8


@dataclass(frozen=True, eq=False)
class Family:
    """A picture with those that look like it.

    Attributes:
        newest: the picture itself.
        others: those that look like it, newest first.
        fine: how many of them share segments with it.
        coarse: how many of them have a similar perceptual hash.
    """

    newest: Member
    others: tuple[Member, ...]
    fine: int
    coarse: int

    @property
    def name(self) -> str:
        """Request id of the first picture."""
        return (self.others or (self.newest,))[-1].family

    @property
    def clients(self) -> int:
        """Clients that sent one of the pictures."""
        return len({member.client for member in (self.newest, *self.others)})

    @property
    def window_seconds(self) -> float:
        """From the first picture to the newest."""
        times = [member.received_at for member in (self.newest, *self.others)]
        return (max(times) - min(times)).total_seconds()

    @cached_property
    def same_size(self) -> tuple[Member, ...]:
        """The others that have the newest one's size."""
        size = self.newest.fingerprint.size
        return tuple(each for each in self.others if each.fingerprint.size == size)

    def score(self, limits: ProbingLimits) -> float:
        """How many of the others form a step of a search with the newest; 0 for a lone picture."""
        if not self.same_size:
            return 0.0
        prints = [member.fingerprint for member in self.same_size]
        newest = self.newest.fingerprint
        differences = Differences.between(newest, prints)
        steps = differences.steps(limits)
        others = (differences.differ() & ~steps).sum()
        score = float(steps.sum() - others / 2)
        return max(0.0, score, float(count_mirrors([newest, *prints], limits)))

    def features(self, limits: ProbingLimits) -> dict[str, float]:
        """The part of the ``traffic`` group that is about the picture."""
        prints = [member.fingerprint for member in (self.newest, *self.others)]
        return {
            "fine_duplicates": float(self.fine),
            "coarse_duplicates": float(self.coarse),
            "family_clients": float(self.clients),
            "family_sizes": float(len({each.size for each in prints})),
            "probing_score": self.score(limits),
            **self._label_delta(),
        }

    def _label_delta(self) -> dict[str, float]:
        if not self.others:
            return {}
        mine = self.newest.fingerprint
        closest = min(
            (member.fingerprint for member in self.others),
            key=lambda each: mine.coarse.distance(each.coarse),
        )
        return {"label_delta": changed_share(mine.outline, closest.outline)}


def family_of(newest: Member, candidates: Sequence[Member], limits: ProbingLimits) -> Family:
    """Those of the candidates, newest first, that look like a picture."""
    mine = newest.fingerprint
    fine = [_share_segments(mine, each.fingerprint, limits) for each in candidates]
    coarse = [_look_alike(mine, each.fingerprint, limits) for each in candidates]
    alike = [
        each for each, *is_alike in zip(candidates, fine, coarse, strict=True) if any(is_alike)
    ]
    return Family(newest, tuple(alike), sum(fine), sum(coarse))


def probing_findings(family: Family, score: float, limits: ProbingLimits) -> tuple[Finding, ...]:
    """The finding of a picture whose score is above the limit."""
    if score <= limits.max_score:
        return ()
    evidence = {
        "score": score,
        "pictures": float(len(family.others) + 1),
        "clients": float(family.clients),
        "window_seconds": family.window_seconds,
    }
    return (Finding(PROBING_SEQUENCE, evidence),)


def count_mirrors(prints: Sequence[Fingerprint], limits: ProbingLimits) -> int:
    """How many pictures of one size mirror another one of them about their mean."""
    if len(prints) < _FEW:
        return 0
    looks = [np.concatenate([each.appearance.luma, each.appearance.chroma]) for each in prints]
    values = np.stack(looks)
    values = values - values.mean(axis=0)
    values /= np.maximum(values.std(axis=0), _SAME)
    lengths = np.linalg.norm(values, axis=1)
    correlations = (values @ values.T) / np.maximum(np.outer(lengths, lengths), 1e-6)
    partner = correlations.argmin(axis=1)
    smallest, second = np.partition(correlations, 1, axis=1)[:, :2].T
    mutual = partner[partner] == np.arange(len(prints))
    return int((mutual & (smallest < limits.max_mirror) & (second > smallest / 2)).sum())


def _share_segments(one: Fingerprint, other: Fingerprint, limits: ProbingLimits) -> bool:
    """Pictures before the same white wall share segments too: they must not look different."""
    if shared_share(one.sketch, other.sketch) < limits.min_shared_share:
        return False
    return not _certain(one, other) or (
        one.coarse.distance(other.coarse) <= 2 * limits.max_coarse_distance
    )


def _look_alike(one: Fingerprint, other: Fingerprint, limits: ProbingLimits) -> bool:
    return _certain(one, other) and (
        one.coarse.distance(other.coarse) <= limits.max_coarse_distance
    )


def _certain(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether the perceptual hashes mean something."""
    return min(one.coarse.quality, other.coarse.quality) >= MIN_QUALITY


def _residual(one: _Array, others: _Array) -> _Array:
    """What is left of ``one`` (pixels) by each of ``others`` ``(n, pixels)``, gain and offset set
    equal by least squares."""
    deviations = others - others.mean(axis=1, keepdims=True)
    mine = one - one.mean()
    energy = np.maximum((deviations**2).sum(axis=1), 1e-6)
    gain = (deviations @ mine) / energy
    residual: _Array = mine - gain[:, None] * deviations
    return residual
