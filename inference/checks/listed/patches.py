"""Looks for the patches of the blacklist in each picture."""

from collections.abc import Sequence

from detectors.findings import Place
from detectors.parsing import Image
from detectors.patches.patch_match import PatchMatcher
from detectors.patches.patches import Patch
from detectors.rule_book import BLOCKED_PATCH
from inference.checks.listed.check import Search, Sight
from inference.recording.picture_keeper import MAX_SIDE, limit_size


def _look(image: Image, matchers: Sequence[PatchMatcher]) -> list[Sight]:
    """Look at the size in which pictures are kept: there the patches come from."""
    small = limit_size(image, MAX_SIDE)
    scale = image.shape[0] / small.shape[0], image.shape[1] / small.shape[1]
    matches = [matcher.look(small) for matcher in matchers]
    return [Sight(each.correlation, _scale(each.place, *scale)) for each in matches]


def _scale(place: Place, down: float, across: float) -> Place:
    left, right = round(place.left * across), round(place.right * across)
    return Place(left, round(place.top * down), right, round(place.bottom * down))


PATCH_SEARCH: Search[Patch, PatchMatcher] = Search(
    name="listed_patches",
    rule=BLOCKED_PATCH,
    measure="correlation",
    digits=3,
    select=lambda access: access.patches,
    build=PatchMatcher,
    look=_look,
)
