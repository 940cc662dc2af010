"""What a kept picture shows now, held against its record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import isnan

from detectors.baseline.phases import SourceState
from detectors.findings import Finding
from detectors.rule_book import ADVERSARIAL_PICTURE
from detectors.verdict import Mode, judge
from inference.rescoring import Remeasured
from maskwatch.commands.printable import escape_unprintable
from store.phrases import phrase_count
from store.requests.kept_requests import KeptRequest


@dataclass(frozen=True)
class Judged:
    """What judges pictures now.

    Attributes:
        source: digest of the model.
        false_positive_rate: share of clean pictures that may be called crafted.
    """

    source: str
    state: SourceState
    false_positive_rate: float
    mode: Mode


@dataclass(frozen=True)
class Side:
    """A picture at one time.

    Attributes:
        source: digest of what parsed it.
        reasons: codes of the rules that fired; in a record also what else led to its verdict.
    """

    source: str | None
    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A picture in its record and now.

    Attributes:
        now: ``None`` if the picture could not be decoded.
        refusal: why it could not.
        features: what was measured both times, by name: in the record and now.
    """

    request_id: str
    received_at: datetime
    record: Side
    now: Side | None
    refusal: str
    features: Mapping[str, tuple[float, float]]

    @property
    def has_same_verdict(self) -> bool:
        """Whether it gets the verdict that it had."""
        return self.now is not None and self.now.verdict == self.record.verdict


@dataclass
class Tally:
    """How many pictures were compared, and with what outcome."""

    pictures: int = 0
    same: int = 0
    missing: int = 0

    def add(self, comparison: Comparison) -> None:
        """Count a picture."""
        self.pictures += 1
        self.same += comparison.has_same_verdict

    def describe(self, source: str) -> str:
        """All of them, for people."""
        text = (
            f"Measured {phrase_count(self.pictures, 'picture')} again with the model "
            f"{source[:12]}: {self.same} of the verdicts are those of the records."
        )
        if not self.missing:
            return text
        return f"{text} Of {phrase_count(self.missing, 'record')} the picture is gone or damaged."


def compare(request: KeptRequest, measures: Remeasured, judged: Judged) -> Comparison:
    """Hold what was measured against the record."""
    features = {
        name: (value, measures.features[name])
        for name, value in request.features.items()
        if not isnan(measures.features.get(name, float("nan")))
    }
    return Comparison(
        request.request_id,
        request.received_at,
        Side(request.source, request.verdict, request.reasons),
        None if measures.refusal else _judge(measures, judged),
        measures.refusal,
        features,
    )


def _judge(measures: Remeasured, judged: Judged) -> Side:
    findings = (*measures.findings, *_find_crafted(measures.features, judged))
    judgement = judge(judged.state.weigh(findings), judged.mode)
    return Side(judged.source, judgement.verdict.value, judgement.reasons)


def _find_crafted(features: Mapping[str, float], judged: Judged) -> Sequence[Finding]:
    baseline = judged.state.baseline
    if baseline is None:
        return ()
    score = baseline.score(features).value
    is_crafted = score >= baseline.threshold(judged.false_positive_rate)
    return (Finding(ADVERSARIAL_PICTURE, {"tamper_score": score}),) if is_crafted else ()


def to_json(comparison: Comparison) -> str:
    """One JSON object; times in ISO 8601, UTC."""
    features = {
        name: {"record": record, "now": now} for name, (record, now) in comparison.features.items()
    }
    document = asdict(replace(comparison, features={})) | {"features": features}
    return json.dumps(document, default=datetime.isoformat)


def to_text(comparison: Comparison) -> str:
    """One line for people."""
    now = comparison.now
    outcome = f"not decoded ({comparison.refusal})" if now is None else _describe(now)
    mark = " " if comparison.has_same_verdict else "*"
    text = f"{mark} {comparison.request_id}  {_describe(comparison.record)} -> {outcome}"
    return escape_unprintable(text)


def _describe(side: Side) -> str:
    return f"{side.verdict} [{', '.join(side.reasons)}]" if side.reasons else side.verdict
