"""What is known of the source of a request, and whether the source is learnt from the request."""

from dataclasses import dataclass

from detectors.baseline.phases import SourceState
from inference.checks.base import Case, CheckResult
from inference.ensemble.draws import Draws
from inference.ensemble.sources import Sources

# Files that an operator parses by hand are no traffic.
_BY_HAND = "cli"
_PURPOSE = "sample"


@dataclass(frozen=True)
class Knowledge:
    """The states of all sources, and the draw of the requests that they are learnt from.

    Attributes:
        share: share of the requests that are drawn once a source has a baseline of its own in
            force.
        learning_share: the same before.
        is_learning: whether sources are learnt at all, so that records are marked.
    """

    sources: Sources
    draws: Draws
    share: float
    learning_share: float = 1.0
    is_learning: bool = True

    def state_of(self, digest: str) -> SourceState:
        """What is known of the source of a digest."""
        return self.sources.state_of(digest)

    def is_sampled(self, case: Case) -> bool:
        """Whether a request belongs to the sample: by its bytes, its source and what is learnt."""
        if case.arrival.route == _BY_HAND:
            return False
        digest = case.segmenter.digest
        share = self.share if self.state_of(digest).is_learnt else self.learning_share
        return self.draws.generator(_PURPOSE, case.upload.sha256, digest).random() < share

    def name_family(self, case: Case) -> str | None:
        """What a record says of the sample: the family of its picture, ``None`` outside of it."""
        if not (self.is_learning and self.is_sampled(case)):
            return None
        return case.trace.family if case.trace else case.arrival.request_id

    def weigh_case(self, case: Case) -> Case:
        """The case with its findings weighed for its source."""
        return case.weigh(self.state_of(case.segmenter.digest))

    def weigh_result(self, case: Case, result: CheckResult) -> CheckResult:
        """What a check said, weighed in the same way."""
        return result.weigh(self.state_of(case.segmenter.digest))
