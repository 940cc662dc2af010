"""Looks for the perturbations of the blacklist in each picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from detectors.findings import Finding, Severity
from detectors.parsing import Image
from detectors.perturbations.perturbation_match import PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
from detectors.rule_book import BLOCKED_PERTURBATION
from inference.admission.access import Access
from inference.checks.base import Case, CheckResult, Needs
from store.decisions.pictures.listed_perturbations import ListedPerturbation

_SIMULATED = replace(BLOCKED_PERTURBATION, severity=Severity.SUSPECT)


@dataclass(frozen=True, eq=False)
class _Matchers:
    """A matcher for each perturbation of one state of the list."""

    perturbations: tuple[ListedPerturbation, ...] = ()
    by_decision: Mapping[int, PerturbationMatcher] = field(default_factory=dict)


class ListedPerturbationsCheck:
    """Finds listed perturbations; costs nothing while there are none.

    A finding names no place, for a perturbation is everywhere.
    """

    name = "listed_perturbations"
    needs = Needs.REQUEST

    def __init__(self, access: Access) -> None:
        self._access = access
        self._matchers = _Matchers()

    def run(self, case: Case) -> CheckResult:
        """One finding if the picture shows listed perturbations.

        A simulated block, or an allow for the sender or the exact picture, makes it a flag.
        """
        arrival = case.arrival
        matches = self._find_perturbations(arrival.received_at, case.image)
        if not matches:
            return CheckResult()
        is_allowed = self._access.current.is_allowed(
            arrival.received_at, arrival.names, case.upload.sha256
        )
        return CheckResult(findings=(_finding(matches, is_allowed=is_allowed),))

    def _find_perturbations(
        self, now: datetime, image: Image
    ) -> list[tuple[ListedPerturbation, float]]:
        """Listed perturbations that a picture shows, each with its strength, the clearest first."""
        matchers = self._fresh()
        current = [each for each in matchers.perturbations if each.until > now]
        if not current:
            return []
        spectrum = spectrum_of(residual_of(image))
        candidates = [
            (each, matchers.by_decision[each.decision_id].look(spectrum)) for each in current
        ]
        matches = [(each, strength) for each, strength in candidates if strength >= each.limit]
        return sorted(matches, key=lambda match: match[1], reverse=True)

    def _fresh(self) -> _Matchers:
        perturbations = self._access.current.perturbations
        if perturbations is not self._matchers.perturbations:
            matchers = {
                each.decision_id: PerturbationMatcher(each.signature) for each in perturbations
            }
            self._matchers = _Matchers(perturbations, matchers)
        return self._matchers


def _finding(matches: Sequence[tuple[ListedPerturbation, float]], *, is_allowed: bool) -> Finding:
    is_enforced = not is_allowed and any(not each.simulated for each, _ in matches)
    first, strength = matches[0]
    evidence = {
        "strength": round(strength, 2),
        "limit": first.limit,
        "decision": float(first.decision_id),
    }
    return Finding(BLOCKED_PERTURBATION if is_enforced else _SIMULATED, evidence)
