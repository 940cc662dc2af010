"""What led to a verdict, as a table for people and as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isnan

from detectors.baseline.baseline import Baseline
from detectors.baseline.phases import Phase, SourceState
from maskwatch.commands.printable import escape_unprintable
from store.baselines.source_names import show_title

_NO_SCORE = "Without a baseline nothing is judged by looks."


@dataclass(frozen=True)
class Fired:
    """A rule that fired, with its evidence."""

    rule: str
    severity: str
    evidence: Mapping[str, float]


@dataclass(frozen=True)
class Excess:
    """One piece of evidence.

    Attributes:
        excess: 1 is what one clean picture in a hundred reaches.
        words: what an excess means.
    """

    evidence: str
    excess: float
    words: str


@dataclass(frozen=True)
class Scoring:
    """How the looks compare with what is normal for the source.

    Attributes:
        score: the largest excess; ``None`` if nothing could be measured.
        clean_share: share of clean pictures that reach it.
        line: the score from which on a picture is called crafted.
        excesses: largest first.
    """

    score: float | None
    clean_share: float | None
    line: float
    excesses: tuple[Excess, ...]


@dataclass(frozen=True)
class Explanation:
    """Why a request or a file got its verdict.

    Attributes:
        subject: what is explained.
        source: digest of what parsed it; ``None`` if nothing did.
        source_name: what its operator calls that, if it is known.
        scoring: ``None`` where there is no baseline or nothing was parsed.
        notes: what a reader has to know besides.
    """

    subject: str
    verdict: str
    reasons: tuple[str, ...]
    source: str | None
    source_name: str | None
    phase: str | None
    findings: tuple[Fired, ...]
    scoring: Scoring | None
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def to_text(self) -> str:
        """Some lines for people."""
        reasons = f" [{', '.join(self.reasons)}]" if self.reasons else ""
        lines = [f"{self.subject}: {self.verdict}{reasons}"]
        if self.source is not None:
            lines.append(f"source {show_title(self.source, self.source_name)}, {self.phase}")
        lines += [_describe_rule(each) for each in self.findings]
        lines += _NO_SCORE.splitlines() if self._lacks_baseline else []
        lines += [] if self.scoring is None else _describe_scoring(self.scoring)
        return "\n".join(escape_unprintable(line) for line in (*lines, *self.notes))

    @property
    def _lacks_baseline(self) -> bool:
        return self.source is not None and self.scoring is None


def score_looks(
    state: SourceState, features: Mapping[str, float], false_positive_rate: float
) -> Scoring | None:
    """Hold what was measured against the baseline of its source; ``None`` without one."""
    return None if state.baseline is None else _score(state.baseline, features, false_positive_rate)


def describe_phase(state: SourceState) -> str:
    """What a source's phase means for its findings."""
    return {
        Phase.LEARNING: "learning: its findings are recorded",
        Phase.PROVISIONAL: "provisional: its findings are recorded",
        Phase.IN_FORCE: "in force: its findings flag",
    }[state.phase]


def _score(baseline: Baseline, features: Mapping[str, float], rate: float) -> Scoring:
    score = baseline.score(features)
    is_scored = not isnan(score.value)
    return Scoring(
        score.value if is_scored else None,
        baseline.clean_share(score.value) if is_scored else None,
        baseline.threshold(rate),
        tuple(Excess(each.name, value, each.words) for each, value in score.excesses.items()),
    )


def _describe_rule(fired: Fired) -> str:
    numbers = ", ".join(f"{name} {value:.3g}" for name, value in fired.evidence.items())
    return f"  {fired.rule} ({fired.severity}): {numbers}" if numbers else f"  {fired.rule}"


def _describe_scoring(scoring: Scoring) -> list[str]:
    if scoring.score is None or scoring.clean_share is None:
        return ["No look was taken of it."]
    lines = [
        f"score {scoring.score:.2f}: {100 * scoring.clean_share:.2g} % of clean pictures reach it; "
        f"crafted from {scoring.line:.2f} on"
    ]
    return lines + [
        f"  {each.excess:>7.2f}  {each.evidence:<22} {each.words}" for each in scoring.excesses
    ]
