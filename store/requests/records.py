"""The request record: everything that is remembered of one request, as one frozen value."""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from math import nan
from typing import Any

from detectors.findings import Finding, Place, Severity
from detectors.registry import FEATURE_NAMES, FeatureVector, find_feature
from detectors.rule_book import find_rule
from detectors.verdict import Verdict


class Stage(StrEnum):
    """How far a request came."""

    ADMISSION = "admission"
    GATE = "gate"
    PARSED = "parsed"
    FAILED = "failed"


@dataclass(frozen=True)
class PictureFile:
    """A picture that was kept: what it shows and the SHA-256 under which it lies."""

    kind: str
    sha256: str
    media_type: str


@dataclass(frozen=True)
class Trace:
    """What is remembered of a picture for a while, to recognise its near-duplicates.

    Attributes:
        data: its fingerprint, as :meth:`detectors.probing.fingerprint.Fingerprint.to_bytes` says.
        keys: under which it is found.
        family: request id of the first picture of its family.
    """

    data: bytes
    keys: tuple[int, ...]
    family: str


@dataclass(frozen=True)
class RequestRecord:
    """One request.

    Attributes:
        request_id: UUID, also given to the client.
        received_at: UTC time of arrival.
        client: who sent it, e.g. ``ip:203.0.113.7`` or ``cli:local``.
        route: the way in: ``api``, ``screen``, ``proxy``, ``observe`` or ``cli``.
        status: HTTP status of the answer.
        reasons: codes of the rules or of the refusal, heaviest first.
        content_sha256: hash of the upload; ``None`` where nothing was read.
        segmenter: digest of the model that parsed it.
        trace: ``None`` where no fingerprint was taken.
        sample_family: what near-duplicates of the picture share, if the request belongs to the
            sample that its source is learnt from; else ``None``.
    """

    request_id: str
    received_at: datetime
    client: str
    route: str
    stage: Stage
    verdict: Verdict
    status: int
    reasons: tuple[str, ...] = ()
    content_sha256: str | None = None
    media_type: str | None = None
    segmenter: str | None = None
    labels: tuple[str, ...] = ()
    features: FeatureVector | None = None
    findings: tuple[Finding, ...] = ()
    evidence: tuple[PictureFile, ...] = field(default=())
    trace: Trace | None = None
    sample_family: str | None = None

    def to_json(self) -> str:
        """One line of JSON, for the spool."""
        return json.dumps(
            {
                "request_id": self.request_id,
                "received_at": self.received_at.isoformat(),
                "client": self.client,
                "route": self.route,
                "stage": self.stage,
                "verdict": self.verdict,
                "status": self.status,
                "reasons": self.reasons,
                "content_sha256": self.content_sha256,
                "media_type": self.media_type,
                "segmenter": self.segmenter,
                "labels": self.labels,
                "features": self.features.collect_values() if self.features else None,
                "findings": [
                    [f.rule.code, dict(f.evidence), f.rule.severity, dump_places(f.places)]
                    for f in self.findings
                ],
                "evidence": [[e.kind, e.sha256, e.media_type] for e in self.evidence],
                "trace": self.trace and _trace_parts(self.trace),
                "sample_family": self.sample_family,
            }
        )

    @classmethod
    def from_json(cls, line: str) -> "RequestRecord":
        """Read back what :meth:`to_json` wrote.

        Raises:
            FeatureError: a feature that this version does not know, or an infinite one.
            LookupError, TypeError, ValueError: another version wrote it, or none did.
        """
        data: dict[str, Any] = json.loads(line)
        features = data.pop("features")
        return cls(
            received_at=datetime.fromisoformat(data.pop("received_at")),
            stage=Stage(data.pop("stage")),
            verdict=Verdict(data.pop("verdict")),
            reasons=tuple(data.pop("reasons")),
            labels=tuple(data.pop("labels")),
            features=None if features is None else _vector(features),
            findings=tuple(_finding(*parts) for parts in data.pop("findings")),
            evidence=tuple(PictureFile(*parts) for parts in data.pop("evidence")),
            trace=_trace(data.pop("trace", None)),
            **data,
        )


def dump_places(places: Sequence[Place]) -> list[dict[str, Any]]:
    """Places as JSON keeps them."""
    return [asdict(place) for place in places]


def _trace_parts(trace: Trace) -> list[Any]:
    return [b64encode(trace.data).decode(), trace.keys, trace.family]


def _trace(parts: Sequence[Any] | None) -> Trace | None:
    """The first spools knew no traces."""
    if parts is None:
        return None
    data, keys, family = parts
    return Trace(b64decode(data), tuple(keys), family)


def _finding(
    code: str,
    evidence: dict[str, float],
    severity: str | None = None,
    places: Sequence[dict[str, Any]] = (),
) -> Finding:
    """A setting may have changed the rule's weight; the first spools knew no weights or places."""
    rule = find_rule(code)
    weighted_rule = replace(rule, severity=Severity(severity or rule.severity))
    return Finding(weighted_rule, evidence, tuple(Place(**place) for place in places))


def _vector(values: dict[str, float]) -> FeatureVector:
    """Ranges were checked when it was measured; a name may be one of another version."""
    for name in values:
        find_feature(name)
    return FeatureVector(tuple(float(values.get(name, nan)) for name in FEATURE_NAMES))
