"""Find perturbations: a noise that recurs in flagged pictures goes on the blacklist."""

from collections.abc import Sequence
from datetime import timedelta

from detectors.parsing import Image
from detectors.perturbations.perturbation_choice import (
    MIN_MEMBERS,
    ChosenPerturbation,
    choose_perturbations,
)
from detectors.perturbations.perturbation_match import MIN_ORDINARY, PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
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
from store.decisions.pictures.listed_perturbations import (
    ListedPerturbation,
    list_decided_perturbations,
    signature_evidence,
)
from store.decisions.scenarios import RECURRING_PERTURBATION
from store.phrases import phrase_count

_JOB = "find_perturbations"
# Every picture is held against every other one: twice as many take four times as long.
_MAX_FLAGGED = 48


def run(context: JobContext) -> JobOutcome:
    """The job ``find_perturbations``.

    Raises:
        NothingToCompare: too few flagged or ordinary pictures are kept.
    """
    simulated = is_simulated(context, RECURRING_PERTURBATION)
    suspects = _unexplained(context, simulated=simulated)
    ordinary = read_ordinary(context, MIN_ORDINARY, "a perturbation from a camera")
    choices = choose_perturbations([each.image for each in suspects], ordinary)
    add_decisions(
        context, _JOB, [_decision(each, suspects, context, simulated=simulated) for each in choices]
    )
    return JobOutcome(_sentence(len(choices), simulated), len(choices))


def _unexplained(context: JobContext, *, simulated: bool) -> list[Suspect]:
    """Flagged pictures that no known perturbation explains."""
    with context.database.read() as session:
        known = list_decided_perturbations(session, context.now, simulated=simulated)
    suspects = _drop_explained(read_suspects(context), known)[:_MAX_FLAGGED]
    if len(suspects) < MIN_MEMBERS:
        raise NothingToCompare("No perturbation recurs: too few flagged pictures are unexplained.")
    return suspects


def _drop_explained(
    suspects: Sequence[Suspect], known: Sequence[ListedPerturbation]
) -> list[Suspect]:
    matchers = [(PerturbationMatcher(each.signature), each.limit) for each in known]
    return [each for each in suspects if not _shows_any(each.image, matchers)]


def _shows_any(image: Image, matchers: Sequence[tuple[PerturbationMatcher, float]]) -> bool:
    spectrum = spectrum_of(residual_of(image))
    return any(matcher.look(spectrum) >= limit for matcher, limit in matchers)


def _decision(
    choice: ChosenPerturbation,
    suspects: Sequence[Suspect],
    context: JobContext,
    *,
    simulated: bool,
) -> NewDecision:
    members = [suspects[index].picture for index in choice.members]
    return NewDecision(
        kind=Kind.BLOCK,
        scope=Scope.PERTURBATION,
        value=choice.signature.digest,
        scenario=RECURRING_PERTURBATION,
        origin=BY_POLICY,
        reason=phrase_members(members),
        created_by=BY_POLICY,
        until=context.now + timedelta(days=context.settings.blocking.perturbation_block_days),
        simulated=simulated,
        evidence={
            **signature_evidence(choice.signature, choice.limit),
            "strength": round(choice.strength, 2),
            "levels": round(choice.levels, 2),
            "request_ids": [picture.request_id for picture in members],
        },
        job=_JOB,
    )


def _sentence(perturbations: int, simulated: bool) -> str:
    if not perturbations:
        return "No perturbation recurs that ordinary pictures do not show."
    return phrase_blocks(phrase_count(perturbations, "perturbation"), simulated)
