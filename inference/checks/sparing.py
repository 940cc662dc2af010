"""Looks at few requests only, where each look is a request to somebody else's service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan

import structlog

from detectors.baseline.baseline import Baseline
from inference.checks.base import Case, Check, CheckResult, Needs
from inference.checks.ensemble import EnsembleCheck
from inference.checks.first_look import FirstLookCheck
from inference.ensemble.draws import Draws
from inference.upstream.looks.asked_source import AskedSource, LookFailed

_log = structlog.get_logger(__name__)

_PURPOSE = "sample"


@dataclass(frozen=True)
class LookChoice:
    """Says of a case whether it is in the sample, and whether it is odd.

    Odd is what shows without a look, and only once it is known what is usual: before, looks at
    what is odd would make the sample that is learnt from an odd one.

    Attributes:
        share: of the uploads, those in the sample.
    """

    draws: Draws
    baseline_of: Callable[[str], Baseline | None]
    share: float

    def choose(self, case: Case) -> tuple[bool, bool]:
        """Both."""
        return self._is_sampled(case), self._is_odd(case)

    def _is_sampled(self, case: Case) -> bool:
        random = self.draws.generator(_PURPOSE, case.upload.sha256, case.segmenter.digest)
        return random.random() < self.share

    def _is_odd(self, case: Case) -> bool:
        baseline = self.baseline_of(case.segmenter.digest)
        if baseline is None:
            return False
        return (
            not case.is_measured
            or bool(case.findings)
            or _lacks_visible_face(case)
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


def spare_upstream(checks: Sequence[Check], share: float) -> tuple[Check, ...]:
    """The same checks, of which those that look again do so at few requests.

    Args:
        share: of the uploads that are looked at whatever they hold.
    """
    first = next(check for check in checks if isinstance(check, FirstLookCheck))
    choice = LookChoice(first.draws, lambda digest: first.state_of(digest).baseline, share)
    return tuple(
        SparingCheck(check, choice) if isinstance(check, FirstLookCheck | EnsembleCheck) else check
        for check in checks
    )


def _lacks_visible_face(case: Case) -> bool:
    """Whether the picture shows a face that the parse lacks."""
    sees_face = case.features.get("faces_found", 0.0) >= 1
    return sees_face and isnan(case.features.get("confidence_face", float("nan")))
