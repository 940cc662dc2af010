"""Sequence scores: whether near-duplicates differ as the queries of a search do.

A search asks about one picture again and again, changed a little. What it changes tells it from a
camera that looks at one scene, and from one picture that goes round in many files:

``colour noise``
    Red, green and blue change independently from pixel to pixel. Motion changes them together, and
    files of cameras hold colour at half the resolution. Raw frames of a camera do not; but noise as
    weak as a camera's counts only where the brightness of the whole stays the same.
``bounded patches``
    Some parts change by a few levels while others stay the same to the last bit, and changes are
    taken back. A camera's noise is everywhere; a moving person changes more than a few levels; a
    film of few bits leaves blocks as they are, but what it changes it changes for good.
``strong noise``
    What is large stands still under noise that is stronger than a camera's.
``mirrored noise``
    Two pictures lie on opposite sides of the rest: a search takes every direction both ways. In
    files of cameras no two are far enough apart, but each tends to mirror the one before it.

The score of a picture is the number of recent pictures of its family that it forms a step with,
less half of those that differ from it in other ways: a picture that goes round has more of these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from detectors.findings import Finding
from detectors.probing.differences import Differences, ProbingLimits
from detectors.probing.fingerprint import MIN_QUALITY, Fingerprint
from detectors.probing.outline import changed_share
from detectors.probing.segments import shared_share
from detectors.probing.series import count_mirrors, has_turns, measure_taken_back
from detectors.rule_book import PROBING_SEQUENCE


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
        prints = [member.fingerprint for member in (self.newest, *self.same_size)]
        mirrors = len(prints) if has_turns(prints, limits) else count_mirrors(prints, limits)
        return max(0.0, self._count_steps(prints, limits), float(mirrors))

    def _count_steps(self, prints: Sequence[Fingerprint], limits: ProbingLimits) -> float:
        """Steps of the first of these with the others, less half of those that are none."""
        differences = Differences.between(prints[0], prints[1:])
        steps, patches = differences.noise(limits), differences.patches(limits)
        if patches.any() and measure_taken_back(prints) >= limits.min_taken_back:
            steps = steps | patches
        others = (differences.differ() & ~steps).sum()
        return float(steps.sum() - others / 2)

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
