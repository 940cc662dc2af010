"""Find patches: a patch that recurs in flagged pictures goes on the blacklist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from detectors.parsing import Image
from detectors.patches.patch_choice import ChosenPatch, choose_patches
from detectors.patches.patch_match import MIN_ORDINARY, PatchMatcher
from detectors.patches.patch_search import different_pictures
from detectors.patches.patches import Tile
from detectors.rule_book import ADVERSARIAL_PICTURE, TRIGGER_SUSPECTED
from jobs.blocking.picture_views import cut_out, read_image
from jobs.blocking.policy import phrase_blocks
from jobs.context import JobContext, JobOutcome, Skipped
from store.decisions.decisions import BY_POLICY, Kind, NewDecision, Scope, add_decision
from store.decisions.pictures.listed_patches import (
    ListedPatch,
    list_decided_patches,
    patch_evidence,
)
from store.decisions.scenarios import RECURRING_PATCH, read_switches
from store.engine.locks import take_turn
from store.phrases import phrase_count
from store.requests.kept_pictures import KeptPicture, flagged_pictures, ordinary_pictures
from store.requests.picture_store import PictureStore

_RULES = (TRIGGER_SUSPECTED.code, ADVERSARIAL_PICTURE.code)
_LOOKED_BACK = timedelta(days=7)
# Whoever repeats one flagged picture, or sends many, must not hide what others sent.
_MAX_READ, _MAX_FLAGGED_OF_A_CLIENT = 120, 8
# Every tile is held against every other one: twice as many take four times as long.
_MAX_FLAGGED, _MAX_ORDINARY, _MAX_OF_A_CLIENT = 24, 100, 2
_MIN_FLAGGED = 3


class NothingToCompare(Skipped):
    """There are too few pictures to say what recurs, or what is ordinary."""


@dataclass(frozen=True, eq=False)
class _Suspect:
    """A flagged picture and the part of it that a finding is about."""

    picture: KeptPicture
    image: Image
    tile: Tile


def run(context: JobContext) -> JobOutcome:
    """The job ``find_patches``.

    Raises:
        NothingToCompare: too few flagged or ordinary pictures are kept.
    """
    simulated = _is_simulated(context)
    suspects, ordinary = _pictures(context, simulated=simulated)
    patches = choose_patches([each.tile for each in suspects], ordinary)
    with context.database.write() as session:
        take_turn(session, "find_patches")
        for each in patches:
            decision = _decision(each, suspects, context, simulated=simulated)
            add_decision(session, decision, context.now)
    return JobOutcome(_sentence(len(patches), simulated), len(patches))


def _is_simulated(context: JobContext) -> bool:
    with context.database.read() as session:
        simulates_all = context.settings.blocking.simulate_blocks
        return not read_switches(session, simulates_all=simulates_all).enforces(RECURRING_PATCH)


def _pictures(context: JobContext, *, simulated: bool) -> tuple[list[_Suspect], list[Image]]:
    """Flagged pictures that no known patch explains, and ordinary ones."""
    since, store = context.now - _LOOKED_BACK, PictureStore(context.settings.store.var_dir)
    with context.database.read() as session:
        candidates = flagged_pictures(session, _RULES, since, _MAX_READ, _MAX_FLAGGED_OF_A_CLIENT)
        samples = ordinary_pictures(session, since, _MAX_ORDINARY, _MAX_OF_A_CLIENT)
        patches = list_decided_patches(session, context.now, simulated=simulated)
    suspects = _drop_explained(_suspects(store, candidates), patches)[:_MAX_FLAGGED]
    if len(suspects) < _MIN_FLAGGED:
        raise NothingToCompare("No patch recurs: too few flagged pictures are unexplained.")
    ordinary = [image for picture in samples if (image := read_image(store, picture)) is not None]
    if len(ordinary) < MIN_ORDINARY:
        raise NothingToCompare(
            f"{phrase_count(len(ordinary), 'sampled picture')} of ordinary requests, a few of each "
            f"client, do not tell a patch from a button: {MIN_ORDINARY} do."
        )
    return suspects, ordinary


def _suspects(store: PictureStore, pictures: Sequence[KeptPicture]) -> list[_Suspect]:
    """One for each different picture, newest first: copies share all that they show."""
    by_file = {picture.sha256: picture for picture in reversed(pictures)}
    suspects = [
        _Suspect(picture, image, cut_out(image, picture.size, picture.place))
        for picture in reversed(by_file.values())
        if picture.place is not None and (image := read_image(store, picture)) is not None
    ]
    return [suspects[index] for index in different_pictures([each.image for each in suspects])]


def _drop_explained(suspects: Sequence[_Suspect], patches: Sequence[ListedPatch]) -> list[_Suspect]:
    rest = list(suspects)
    for patch in patches:
        matcher = PatchMatcher(patch.patch)
        rest = [each for each in rest if matcher.look(each.image).correlation < patch.limit]
    return rest


def _decision(
    patch: ChosenPatch, suspects: Sequence[_Suspect], context: JobContext, *, simulated: bool
) -> NewDecision:
    members = [suspects[index].picture for index in patch.members]
    clients = len({picture.client for picture in members})
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.PATCH,
        value=patch.patch.digest,
        scenario=RECURRING_PATCH,
        origin=BY_POLICY,
        reason=f"{phrase_count(len(members), 'flagged picture')} of "
        f"{phrase_count(clients, 'client')} show it; ordinary pictures do not.",
        created_by=BY_POLICY,
        until=context.now + timedelta(days=context.settings.blocking.patch_block_days),
        simulated=simulated,
        evidence={
            **patch_evidence(patch.patch, patch.limit),
            "correlation": round(patch.correlation, 4),
            "request_ids": [picture.request_id for picture in members],
        },
        job="find_patches",
    )


def _sentence(patches: int, simulated: bool) -> str:
    if not patches:
        return "No patch recurs that ordinary pictures do not show."
    return phrase_blocks("1 patch" if patches == 1 else f"{patches} patches", simulated)
