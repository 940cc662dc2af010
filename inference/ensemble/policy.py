"""Which requests get an ensemble, and how thorough a one.

Decided from what was measured anyway. A sample of the others is looked at too: without it there
would be no normal values to compare with, and an answer that takes longer would say for certain
that something was suspicious.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import nan

from detectors.baseline.asking import is_face_missing
from detectors.baseline.phases import Phase, SourceState
from detectors.findings import Finding, Severity


class EnsembleMode(StrEnum):
    """When an ensemble is run."""

    ALWAYS = "always"
    SAMPLED = "sampled"
    SUSPICIOUS = "suspicious"
    NEVER = "never"


class Depth(StrEnum):
    """How much an ensemble looks at."""

    NOTHING = "nothing"
    MEMBERS = "members"
    SAMPLE = "sample"
    FULL = "full"


@dataclass(frozen=True)
class EnsemblePolicy:
    """Chooses a depth for each request.

    ``sampled`` looks at the sample, ``suspicious`` at what is suspicious and the sample, in full.
    ``always`` does the same and looks at all others with the members alone.

    Attributes:
        mode: when an ensemble is run.
        max_entropy: mean foreground entropy in nats above which a parse is suspicious.
        sure_below: 95th percentile of the pixel entropies in nats below which it is, too.
    """

    mode: EnsembleMode = EnsembleMode.SUSPICIOUS
    max_entropy: float = 1.0
    sure_below: float = 0.0

    def depth(
        self,
        features: Mapping[str, float],
        findings: Sequence[Finding],
        state: SourceState,
        *,
        is_sampled: bool = False,
        is_odd: bool = False,
    ) -> Depth:
        """How thoroughly to look at a request with these cheap features and findings.

        While its source is learning, only the sample is looked at: nothing is judged by looks.

        Args:
            is_sampled: whether it is looked at whatever it holds.
            is_odd: whether a first look found it odd.
        """
        sample = Depth.FULL if state.is_learnt else Depth.SAMPLE
        least = sample if is_sampled else Depth.NOTHING
        if self.mode is EnsembleMode.NEVER:
            return Depth.NOTHING
        if state.phase is Phase.LEARNING or self.mode is EnsembleMode.SAMPLED:
            return least
        if is_odd or self._is_suspicious(features, findings):
            return Depth.FULL
        return Depth.MEMBERS if self.mode is EnsembleMode.ALWAYS and not is_sampled else least

    def for_source(self, state: SourceState) -> "EnsemblePolicy":
        """The same with the entropies that are usual for a source."""
        sure_below = None if state.baseline is None else state.baseline.sure_below
        return replace(
            self,
            max_entropy=self.max_entropy if state.max_entropy is None else state.max_entropy,
            sure_below=self.sure_below if sure_below is None else sure_below,
        )

    def _is_suspicious(self, features: Mapping[str, float], findings: Sequence[Finding]) -> bool:
        return (
            not features
            or any(finding.rule.severity is not Severity.ODD for finding in findings)
            or features.get("entropy_foreground", nan) > self.max_entropy
            or features.get("entropy_p95", nan) < self.sure_below
            or is_face_missing(features)
        )
