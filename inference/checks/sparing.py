"""Looks at few requests only, where each look is a request to somebody else's service."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from detectors.baseline.asking import is_face_missing
from inference.checks.base import Case, Check, CheckResult, Needs
from inference.checks.ensemble import EnsembleCheck
from inference.checks.first_look import FirstLookCheck
from inference.checks.knowledge import Knowledge
from inference.upstream.looks.asked_source import AskedSource, LookFailed

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LookChoice:
    """Says of a case whether it is in the sample, and whether it is odd.

    Odd is what shows without a look, and only once it is known what is usual: before, looks at
    what is odd would make the sample that is learnt from an odd one.
    """

    knowledge: Knowledge

    def choose(self, case: Case) -> tuple[bool, bool]:
        """Both."""
        return self.knowledge.is_sampled(case), self._is_odd(case)

    def _is_odd(self, case: Case) -> bool:
        baseline = self.knowledge.state_of(case.segmenter.digest).baseline
        if baseline is None:
            return False
        return (
            not case.is_measured
            or bool(case.findings)
            or is_face_missing(case.features)
            or baseline.score(case.features).value >= baseline.look_again
        )


@dataclass(frozen=True)
class SparingCheck:
    """Runs a check that looks again, if the upstream of the case can be asked and may be."""

    check: Check
    choice: LookChoice
    # What makes a request odd is what the others said of it.
    needs = Needs.FINDINGS

    @property
    def name(self) -> str:
        """That of the check."""
        return self.check.name

    def run(self, case: Case) -> CheckResult:
        """What the check says; nothing if no look is taken, or the upstream gives none."""
        source = case.segmenter
        if not isinstance(source, AskedSource):
            return CheckResult()
        if not source.visit.enter(lambda: self.choice.choose(case)):
            return CheckResult()
        try:
            return self.check.run(case)
        except LookFailed as error:
            _log.warning("no look", why=str(error), request_id=case.arrival.request_id)
            return CheckResult()


def spare_upstream(checks: Sequence[Check], knowledge: Knowledge) -> tuple[Check, ...]:
    """The same checks, of which those that look again do so at few requests.

    Args:
        knowledge: its sample is looked at whatever it holds.
    """
    choice = LookChoice(knowledge)
    return tuple(
        SparingCheck(check, choice) if isinstance(check, FirstLookCheck | EnsembleCheck) else check
        for check in checks
    )
