"""Which recurring patches are worth a place on a list: those that ordinary pictures do not show."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.parsing import Image
from detectors.patches.patch_match import PatchMatcher, limit_of
from detectors.patches.patch_search import Recurrence, recurring_patches
from detectors.patches.patches import Patch, Tile

# Views of one print come in dozens; each costs a look at every ordinary picture.
_MAX_VIEWS, _MAX_JUDGED = 4, 16
# A patch that its own tiles hardly show better than chance would seldom be found again.
_MIN_GAP = 0.1


@dataclass(frozen=True, eq=False)
class ChosenPatch:
    """A patch to look out for.

    Attributes:
        limit: the correlation from which on a picture shows it.
        members: indices of the tiles that show it.
        correlation: how clearly they do, at most 1.
    """

    patch: Patch
    limit: float
    members: tuple[int, ...]
    correlation: float

    @property
    def gap(self) -> float:
        """How far its tiles lie above chance."""
        return self.correlation - self.limit


def choose_patches(tiles: Sequence[Tile], ordinary: Sequence[Image]) -> tuple[ChosenPatch, ...]:
    """Patches that tiles share and ordinary pictures do not show, the clearest first.

    Args:
        tiles: suspicious ones, of different pictures.
        ordinary: pictures of requests that passed.

    Raises:
        PatchError: too few ordinary pictures to tell.
    """
    candidates = [
        ChosenPatch(each.patch, limit, each.members, each.correlation)
        for each in _some_views(recurring_patches(tiles))
        if (limit := limit_of(each.patch, ordinary)) is not None
    ]
    clear = [each for each in candidates if each.gap >= _MIN_GAP]
    clear.sort(key=lambda each: each.gap, reverse=True)
    choices: list[ChosenPatch] = []
    for each in clear:
        if not any(_explains(other, [tiles[index] for index in each.members]) for other in choices):
            choices.append(each)
    return tuple(choices)


def _explains(choice: ChosenPatch, tiles: Sequence[Tile]) -> bool:
    """Whether most of these tiles show a patch that is chosen already."""
    matches = 0
    for tile in tiles:
        within = Patch(choice.patch.pixels, min(1.0, choice.patch.share / tile.share))
        matches += PatchMatcher(within).look(tile.pixels).correlation >= choice.limit
    return 2 * matches >= len(tiles)


def _some_views(recurrences: Sequence[Recurrence]) -> list[Recurrence]:
    """The first few views of each print, the first few prints."""
    selection: list[Recurrence] = []
    for each in recurrences:
        views = sum(_show_the_same(each.members, other.members) for other in selection)
        if views < _MAX_VIEWS:
            selection.append(each)
    return selection[:_MAX_JUDGED]


def _show_the_same(first: Sequence[int], second: Sequence[int]) -> bool:
    """Whether most tiles of the one are tiles of the other."""
    return 2 * len(set(first) & set(second)) >= min(len(first), len(second))
