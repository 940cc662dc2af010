"""Find patches: a patch that recurs in flagged pictures goes on the blacklist."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.patches.patch_choice import ChosenPatch, choose_patches
from detectors.patches.patch_match import MIN_ORDINARY, PatchMatcher
from detectors.patches.patches import Tile
from jobs.blocking.picture_views import cut_out
from jobs.blocking.recurrences import Recurrence, RecurrenceJob
from jobs.blocking.suspects import NothingToCompare, Suspect, read_ordinary, read_suspects
from jobs.context import JobContext, JobOutcome
from store.decisions.pictures.listed_patches import PATCHES, ListedPatch, patch_evidence
from store.decisions.scenarios import RECURRING_PATCH
from store.decisions.scopes import Scope

_JOB = RecurrenceJob("find_patches", RECURRING_PATCH, Scope.PATCH)
_MIN_FLAGGED = 3
# Every tile is held against every other one: twice as many take four times as long.
_MAX_FLAGGED = 24


@dataclass(frozen=True, eq=False)
class _Part:
    """The part of a flagged picture that its finding is about."""

    suspect: Suspect
    tile: Tile


def run(context: JobContext) -> JobOutcome:
    """The job ``find_patches``.

    Raises:
        NothingToCompare: too few flagged or ordinary pictures are kept.
    """
    simulated = _JOB.is_simulated(context)
    parts = _parts(context, simulated=simulated)
    ordinary = read_ordinary(context, MIN_ORDINARY, "a patch from a button")
    patches = choose_patches([each.tile for each in parts], ordinary)
    recurrences = [_recurrence(each, parts) for each in patches]
    days = context.settings.blocking.patch_block_days
    return _JOB.block(context, recurrences, days, simulated=simulated)


def _parts(context: JobContext, *, simulated: bool) -> list[_Part]:
    """Parts of flagged pictures that no known patch explains."""
    with context.database.read() as session:
        known = PATCHES.read_decided(session, context.now, simulated=simulated)
    parts = [
        _Part(each, cut_out(each.image, each.picture.size, each.picture.place))
        for each in _drop_explained(read_suspects(context), known)
        if each.picture.place is not None
    ][:_MAX_FLAGGED]
    if len(parts) < _MIN_FLAGGED:
        raise NothingToCompare("No patch recurs: too few flagged pictures are unexplained.")
    return parts


def _drop_explained(suspects: Sequence[Suspect], patches: Sequence[ListedPatch]) -> list[Suspect]:
    rest = list(suspects)
    for patch in patches:
        matcher = PatchMatcher(patch.subject)
        rest = [each for each in rest if matcher.look(each.image).correlation < patch.limit]
    return rest


def _recurrence(patch: ChosenPatch, parts: Sequence[_Part]) -> Recurrence:
    evidence = patch_evidence(patch.patch, patch.limit)
    return Recurrence(
        digest=patch.patch.digest,
        evidence={**evidence, "correlation": round(patch.correlation, 4)},
        members=[parts[index].suspect.picture for index in patch.members],
    )
