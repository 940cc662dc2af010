"""Looks for the perturbations of the blacklist in each picture."""

from collections.abc import Sequence

from detectors.parsing import Image
from detectors.perturbations.perturbation_match import PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
from detectors.perturbations.signatures import Signature
from detectors.rule_book import BLOCKED_PERTURBATION
from inference.checks.listed.check import Search, Sight


def _look(image: Image, matchers: Sequence[PerturbationMatcher]) -> list[Sight]:
    """Look everywhere: a perturbation has no place."""
    spectrum = spectrum_of(residual_of(image))
    return [Sight(matcher.look(spectrum)) for matcher in matchers]


PERTURBATION_SEARCH: Search[Signature, PerturbationMatcher] = Search(
    name="listed_perturbations",
    rule=BLOCKED_PERTURBATION,
    measure="strength",
    digits=2,
    select=lambda access: access.perturbations,
    build=PerturbationMatcher,
    look=_look,
)
