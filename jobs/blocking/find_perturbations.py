"""Find perturbations: a noise that recurs in flagged pictures goes on the blacklist."""

from collections.abc import Sequence

from detectors.parsing import Image
from detectors.perturbations.perturbation_choice import (
    MIN_MEMBERS,
    ChosenPerturbation,
    choose_perturbations,
)
from detectors.perturbations.perturbation_match import MIN_ORDINARY, PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
from jobs.blocking.recurrences import Recurrence, RecurrenceJob
from jobs.blocking.suspects import NothingToCompare, Suspect, read_ordinary, read_suspects
from jobs.context import JobContext, JobOutcome
from store.decisions.pictures.listed_perturbations import (
    PERTURBATIONS,
    ListedPerturbation,
    signature_evidence,
)
from store.decisions.scenarios import RECURRING_PERTURBATION
from store.decisions.scopes import Scope

_JOB = RecurrenceJob("find_perturbations", RECURRING_PERTURBATION, Scope.PERTURBATION)
# Every picture is held against every other one: twice as many take four times as long.
_MAX_FLAGGED = 48


def run(context: JobContext) -> JobOutcome:
    """The job ``find_perturbations``.

    Raises:
        NothingToCompare: too few flagged or ordinary pictures are kept.
    """
    simulated = _JOB.is_simulated(context)
    suspects = _read_unexplained(context, simulated=simulated)
    ordinary = read_ordinary(context, MIN_ORDINARY, "a perturbation from a camera")
    choices = choose_perturbations([each.image for each in suspects], ordinary)
    recurrences = [_recurrence(each, suspects) for each in choices]
    days = context.settings.blocking.perturbation_block_days
    return _JOB.block(context, recurrences, days, simulated=simulated)


def _read_unexplained(context: JobContext, *, simulated: bool) -> list[Suspect]:
    """Flagged pictures that no known perturbation explains."""
    with context.database.read() as session:
        known = PERTURBATIONS.read_decided(session, context.now, simulated=simulated)
    suspects = _drop_explained(read_suspects(context), known)[:_MAX_FLAGGED]
    if len(suspects) < MIN_MEMBERS:
        raise NothingToCompare("No perturbation recurs: too few flagged pictures are unexplained.")
    return suspects


def _drop_explained(
    suspects: Sequence[Suspect], known: Sequence[ListedPerturbation]
) -> list[Suspect]:
    matchers = [(PerturbationMatcher(each.subject), each.limit) for each in known]
    return [each for each in suspects if not _shows_any(each.image, matchers)]


def _shows_any(image: Image, matchers: Sequence[tuple[PerturbationMatcher, float]]) -> bool:
    spectrum = spectrum_of(residual_of(image))
    return any(matcher.look(spectrum) >= limit for matcher, limit in matchers)


def _recurrence(choice: ChosenPerturbation, suspects: Sequence[Suspect]) -> Recurrence:
    return Recurrence(
        digest=choice.signature.digest,
        evidence={
            **signature_evidence(choice.signature, choice.limit),
            "strength": round(choice.strength, 2),
            "levels": round(choice.levels, 2),
        },
        members=[suspects[index].picture for index in choice.members],
    )
