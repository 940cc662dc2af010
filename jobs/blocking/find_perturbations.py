"""Find perturbations: a noise that recurs in flagged pictures goes on the blacklist."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from detectors.parsing import Image
from detectors.patches.patch_search import different_pictures
from detectors.perturbations.perturbation_choice import (
    MIN_MEMBERS,
    ChosenPerturbation,
    choose_perturbations,
)
from detectors.perturbations.perturbation_match import MIN_ORDINARY, PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
from detectors.rule_book import ADVERSARIAL_PICTURE, TRIGGER_SUSPECTED
from jobs.blocking.picture_views import read_image
from jobs.blocking.policy import phrase_blocks
from jobs.context import JobContext, JobOutcome, Skipped
from store.decisions.decisions import BY_POLICY, Kind, NewDecision, Scope, add_decision
from store.decisions.pictures.listed_perturbations import (
    ListedPerturbation,
    list_decided_perturbations,
    signature_evidence,
)
from store.decisions.scenarios import RECURRING_PERTURBATION, read_switches
from store.engine.locks import take_turn
from store.phrases import phrase_count
from store.requests.kept_pictures import KeptPicture, flagged_pictures, ordinary_pictures
from store.requests.picture_store import PictureStore

_RULES = (ADVERSARIAL_PICTURE.code, TRIGGER_SUSPECTED.code)
_LOOKED_BACK = timedelta(days=7)
# Whoever repeats one flagged picture, or sends many, must not hide what others sent.
_MAX_READ, _MAX_FLAGGED_OF_A_CLIENT = 120, 8
# Every picture is held against every other one: twice as many take four times as long.
_MAX_FLAGGED, _MAX_ORDINARY, _MAX_OF_A_CLIENT = 48, 100, 2


class NothingToCompare(Skipped):
    """There are too few pictures to say what recurs, or what is ordinary."""


@dataclass(frozen=True, eq=False)
class _Suspect:
    """A flagged picture."""

    picture: KeptPicture
    image: Image


def run(context: JobContext) -> JobOutcome:
    """The job ``find_perturbations``.

    Raises:
        NothingToCompare: too few flagged or ordinary pictures are kept.
    """
    simulated = _is_simulated(context)
    suspects, ordinary = _pictures(context, simulated=simulated)
    choices = choose_perturbations([each.image for each in suspects], ordinary)
    with context.database.write() as session:
        take_turn(session, "find_perturbations")
        for each in choices:
            decision = _decision(each, suspects, context, simulated=simulated)
            add_decision(session, decision, context.now)
    return JobOutcome(_sentence(len(choices), simulated), len(choices))


def _is_simulated(context: JobContext) -> bool:
    with context.database.read() as session:
        simulates_all = context.settings.blocking.simulate_blocks
        switches = read_switches(session, simulates_all=simulates_all)
        return not switches.enforces(RECURRING_PERTURBATION)


def _pictures(context: JobContext, *, simulated: bool) -> tuple[list[_Suspect], list[Image]]:
    """Flagged pictures that no known perturbation explains, and ordinary ones."""
    since, store = context.now - _LOOKED_BACK, PictureStore(context.settings.store.var_dir)
    with context.database.read() as session:
        candidates = flagged_pictures(session, _RULES, since, _MAX_READ, _MAX_FLAGGED_OF_A_CLIENT)
        samples = ordinary_pictures(session, since, _MAX_ORDINARY, _MAX_OF_A_CLIENT)
        known = list_decided_perturbations(session, context.now, simulated=simulated)
    suspects = _drop_explained(_suspects(store, candidates), known)[:_MAX_FLAGGED]
    if len(suspects) < MIN_MEMBERS:
        raise NothingToCompare("No perturbation recurs: too few flagged pictures are unexplained.")
    ordinary = [image for picture in samples if (image := read_image(store, picture)) is not None]
    if len(ordinary) < MIN_ORDINARY:
        raise NothingToCompare(
            f"{phrase_count(len(ordinary), 'sampled picture')} of ordinary requests, a few of each "
            f"client, do not tell a perturbation from a camera: {MIN_ORDINARY} do."
        )
    return suspects, ordinary


def _suspects(store: PictureStore, pictures: Sequence[KeptPicture]) -> list[_Suspect]:
    """One for each different picture, newest first: copies share all that they show."""
    by_file = {picture.sha256: picture for picture in reversed(pictures)}
    suspects = [
        _Suspect(picture, image)
        for picture in reversed(by_file.values())
        if (image := read_image(store, picture)) is not None
    ]
    return [suspects[index] for index in different_pictures([each.image for each in suspects])]


def _drop_explained(
    suspects: Sequence[_Suspect], known: Sequence[ListedPerturbation]
) -> list[_Suspect]:
    matchers = [(PerturbationMatcher(each.signature), each.limit) for each in known]
    return [each for each in suspects if not _shows_any(each.image, matchers)]


def _shows_any(image: Image, matchers: Sequence[tuple[PerturbationMatcher, float]]) -> bool:
    spectrum = spectrum_of(residual_of(image))
    return any(matcher.look(spectrum) >= limit for matcher, limit in matchers)


def _decision(
    choice: ChosenPerturbation,
    suspects: Sequence[_Suspect],
    context: JobContext,
    *,
    simulated: bool,
) -> NewDecision:
    members = [suspects[index].picture for index in choice.members]
    clients = len({picture.client for picture in members})
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.PERTURBATION,
        value=choice.signature.digest,
        scenario=RECURRING_PERTURBATION,
        origin=BY_POLICY,
        reason=f"{phrase_count(len(members), 'flagged picture')} of "
        f"{phrase_count(clients, 'client')} show it; ordinary pictures do not.",
        created_by=BY_POLICY,
        until=context.now + timedelta(days=context.settings.blocking.perturbation_block_days),
        simulated=simulated,
        evidence={
            **signature_evidence(choice.signature, choice.limit),
            "strength": round(choice.strength, 2),
            "levels": round(choice.levels, 2),
            "request_ids": [picture.request_id for picture in members],
        },
        job="find_perturbations",
    )


def _sentence(perturbations: int, simulated: bool) -> str:
    if not perturbations:
        return "No perturbation recurs that ordinary pictures do not show."
    return phrase_blocks(phrase_count(perturbations, "perturbation"), simulated)
