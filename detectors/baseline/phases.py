"""How well a source is known, and what follows from it for its findings."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

from detectors.baseline.baseline import Baseline
from detectors.findings import Finding, Severity
from detectors.rule_book import (
    BLOCKED_PATCH,
    BLOCKED_PERTURBATION,
    BLOCKED_PICTURE,
    GATE_RULES,
    PROBING_SEQUENCE,
    RULES,
    TRIGGER_SUSPECTED,
)
from detectors.topology.topology_limits import DEFAULTS, TopologyLimits

# What the gate finds is a matter of its settings; the others compare a request with others.
_OF_OTHER_THINGS = frozenset(
    {*GATE_RULES, BLOCKED_PATCH, BLOCKED_PERTURBATION, BLOCKED_PICTURE, PROBING_SEQUENCE}
)
CONTENT_CODES = frozenset(
    rule.code
    for rule in RULES
    if rule.severity is not Severity.ODD and rule not in _OF_OTHER_THINGS
)
"""Rules that flag by what a source makes of a picture: clean traffic of another kind, or another
model, makes them fire too."""


class Phase(StrEnum):
    """How well a source is known.

    ``learning``: no look judges. ``provisional``: findings of the content are recorded as odd.
    ``in_force``: they weigh what their rules say.
    """

    LEARNING = "learning"
    PROVISIONAL = "provisional"
    IN_FORCE = "in_force"


@dataclass(frozen=True)
class SourceState:
    """What is known of a source.

    Attributes:
        baseline: what its clean pictures look like; ``None`` while nothing is judged by looks.
        limits: where normal ends for the topology rules.
        demoted: codes of rules that fire more often than their budgets allow.
        max_entropy: mean foreground entropy in nats above which a parse is looked at again;
            ``None``: as the settings say.
        max_trigger_score: a suspected trigger that scores no more is no evidence.
        has_own: whether nothing but the next night is left to learn; a baseline of a file that fits
            is in force before the source has one of its own.
    """

    phase: Phase = Phase.LEARNING
    baseline: Baseline | None = None
    limits: TopologyLimits = DEFAULTS
    demoted: Set[str] = field(default_factory=frozenset)
    max_entropy: float | None = None
    max_trigger_score: float = 0.0
    has_own: bool = True

    @property
    def is_learnt(self) -> bool:
        """Whether it flags, and has nothing left to learn but what a night renews."""
        return self.phase is Phase.IN_FORCE and self.has_own

    def weigh(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings, with those odd that are no evidence for this source."""
        return tuple(self._weigh(finding) for finding in findings)

    def _weigh(self, finding: Finding) -> Finding:
        rule = finding.rule
        if rule.code not in CONTENT_CODES:
            return finding
        if self.phase is Phase.IN_FORCE and self._is_evidence(finding):
            return finding
        return replace(finding, rule=replace(rule, severity=Severity.ODD))

    def _is_evidence(self, finding: Finding) -> bool:
        code = finding.rule.code
        is_weak = (
            code == TRIGGER_SUSPECTED.code and _score_trigger(finding) <= self.max_trigger_score
        )
        return not (is_weak or code in self.demoted)


def _score_trigger(finding: Finding) -> float:
    """The score of the tile of a suspected trigger; 1 if its numbers were not kept."""
    return finding.evidence.get("return_share", 1.0) * finding.evidence.get("moved_share", 1.0)
