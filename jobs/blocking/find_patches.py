"""Find patches: a patch that recurs in flagged pictures goes on the blacklist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from detectors.patches.patch_choice import ChosenPatch, choose_patches
from detectors.patches.patch_match import MIN_ORDINARY, PatchMatcher
from detectors.patches.patches import Tile
from jobs.blocking.picture_views import cut_out
from jobs.blocking.policy import phrase_blocks
from jobs.blocking.suspects import (
    NothingToCompare,
    Suspect,
    add_decisions,
    is_simulated,
    phrase_members,
    read_ordinary,
    read_suspects,
)
from jobs.context import JobContext, JobOutcome
from store.decisions.decisions import BY_POLICY, Kind, NewDecision, Scope
from store.decisions.pictures.listed_patches import (
    ListedPatch,
    list_decided_patches,
    patch_evidence,
)
from store.decisions.scenarios import RECURRING_PATCH

_JOB = "find_patches"
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
    simulated = is_simulated(context, RECURRING_PATCH)
    parts = _parts(context, simulated=simulated)
    ordinary = read_ordinary(context, MIN_ORDINARY, "a patch from a button")
    patches = choose_patches([each.tile for each in parts], ordinary)
    add_decisions(
        context, _JOB, [_decision(each, parts, context, simulated=simulated) for each in patches]
    )
    return JobOutcome(_sentence(len(patches), simulated), len(patches))


def _parts(context: JobContext, *, simulated: bool) -> list[_Part]:
    """Parts of flagged pictures that no known patch explains."""
    with context.database.read() as session:
        known = list_decided_patches(session, context.now, simulated=simulated)
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
        matcher = PatchMatcher(patch.patch)
        rest = [each for each in rest if matcher.look(each.image).correlation < patch.limit]
    return rest


def _decision(
    patch: ChosenPatch, parts: Sequence[_Part], context: JobContext, *, simulated: bool
) -> NewDecision:
    members = [parts[index].suspect.picture for index in patch.members]
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.PATCH,
        value=patch.patch.digest,
        scenario=RECURRING_PATCH,
        origin=BY_POLICY,
        reason=phrase_members(members),
        created_by=BY_POLICY,
        until=context.now + timedelta(days=context.settings.blocking.patch_block_days),
        simulated=simulated,
        evidence={
            **patch_evidence(patch.patch, patch.limit),
            "correlation": round(patch.correlation, 4),
            "request_ids": [picture.request_id for picture in members],
        },
        job=_JOB,
    )


def _sentence(patches: int, simulated: bool) -> str:
    if not patches:
        return "No patch recurs that ordinary pictures do not show."
    return phrase_blocks("1 patch" if patches == 1 else f"{patches} patches", simulated)
