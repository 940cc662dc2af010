"""What is tried: a policy with weights and scenarios, limits of rules, and a model's outliers."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from detectors.evidence.kinds import WEIGHTS, EvidenceKind
from detectors.rule_book import OUTLIER_TRAFFIC
from jobs.backtest.tried_rules import TriedRules
from jobs.settings import BlockingGroup
from store.configuration.network_groups import Network
from store.decisions.scenarios import Switches
from store.requests.past_requests import PastRequest

TABLE_WEIGHTS: Mapping[EvidenceKind, float] = {
    kind: weight.weight for kind, weight in WEIGHTS.items()
}
"""What kinds of evidence weigh in this version."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stretch:
    """The time that is gone through.

    Attributes:
        step: from one run of the jobs to the next.
    """

    since: datetime
    until: datetime
    step: timedelta

    @property
    def first_step(self) -> datetime:
        """The first multiple of the step: whoever asks a second later gets the same steps."""
        return self.since + (_EPOCH - self.since) % self.step


@dataclass(frozen=True)
class PolicyTrial:
    """A block policy, whole.

    Attributes:
        blocking: its settings; whether blocks are simulated is said by ``switches``.
        chances: of kinds of evidence, where their table does not know them.
        trusted: proxies, which are never blocked.
    """

    blocking: BlockingGroup
    switches: Switches
    weights: Mapping[EvidenceKind, float] = field(default_factory=lambda: TABLE_WEIGHTS)
    chances: Mapping[EvidenceKind, float] = field(default_factory=dict)
    trusted: Sequence[Network] = ()

    @property
    def window(self) -> timedelta:
        """How far it looks back on a client."""
        return timedelta(minutes=self.blocking.block_window_minutes)


@dataclass(frozen=True)
class ModelOutliers:
    """What another outlier model makes of the requests.

    Attributes:
        selected: keys of the outliers that its scans select, at the stated false-discovery rate.
        noticed: keys of the requests that it would have noticed at request time.
        is_promised: whether its calibration set was large enough for the rate each time.
    """

    selected: Set[int]
    noticed: Set[int]
    is_promised: bool


@dataclass(frozen=True)
class Trial:
    """All that is tried together.

    Attributes:
        outliers: those of another model; ``None`` to leave them as they were recorded.
    """

    policy: PolicyTrial
    rules: TriedRules = field(default_factory=TriedRules)
    outliers: ModelOutliers | None = None

    def apply(self, request: PastRequest) -> PastRequest:
        """The request as it would have been recorded."""
        return self._judge_anew(self.rules.apply(request) if self.rules.limits else request)

    def _judge_anew(self, request: PastRequest) -> PastRequest:
        if self.outliers is None:
            return request
        others = tuple(code for code in request.codes if code != OUTLIER_TRAFFIC.code)
        noticed = (OUTLIER_TRAFFIC.code,) if request.key in self.outliers.noticed else ()
        return replace(
            request,
            codes=(*others, *noticed),
            is_outlier=request.key in self.outliers.selected,
            scored_at=request.received_at,
        )
