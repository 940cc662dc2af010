"""Made-up traffic with measured features: a month of a service, a record at a time.

Features are those of drawn figures as the service measures them, each value moved a little. The
rest is drawn at random: clients by a power law, as on an open page; times evenly; a few refusals
and findings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from detectors.findings import Finding
from detectors.registry import FEATURES, FeatureVector
from detectors.rule_book import NO_PERSON, SKIN_SHARE_LOW
from detectors.verdict import Verdict
from inference.figures import draw_figure
from inference.service import build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from store.requests.records import RequestRecord, Stage
from store.requests.request_ids import new_request_id

_FIGURES, _VECTORS = 8, 512
_CLIENTS, _POWER = 20_000, 1.3
_LABELS = ("background", "hat", "hair", "face", "upper-clothes", "pants", "left-arm", "right-arm")
_SEGMENTER = sha256(b"the segmenter of the bench").hexdigest()
_REFUSED = ("too_large", "unreadable", "unsupported_type", "truncated")
# Shares of what becomes of requests: refused by the gate, turned away, flagged.
_GATE, _ADMISSION, _FLAG = 0.03, 0.01, 0.02


def measure_vectors(seed: int = 0) -> list[FeatureVector]:
    """Feature vectors of drawn figures, measured by a service and moved by a few per cent."""
    random = np.random.default_rng(seed)
    vectors = _measure()
    return [_vary(vectors[n % len(vectors)], random) for n in range(_VECTORS)]


def _measure() -> list[FeatureVector]:
    with TemporaryDirectory() as folder:
        service = build_service(ServiceSettings(var_dir=Path(folder)))
        now = datetime.now(UTC)
        try:
            outcomes = [
                service.pipeline.handle(
                    Arrival(new_request_id(now), now, "cli:local", "cli"), Upload(_png(number))
                )
                for number in range(_FIGURES)
            ]
        finally:
            service.close()
    return [outcome.record.features for outcome in outcomes if outcome.record.features is not None]


def _png(number: int) -> bytes:
    return cv2.imencode(".png", draw_figure(number).image[:, :, ::-1])[1].tobytes()


def _vary(vector: FeatureVector, random: np.random.Generator) -> FeatureVector:
    values = np.array(vector.values_in_order) * random.normal(1, 0.03, len(FEATURES))
    lows, highs = (np.array([getattr(f, side) for f in FEATURES]) for side in ("low", "high"))
    return FeatureVector(tuple(np.clip(values, lows, highs).tolist()))


@dataclass(frozen=True)
class Traffic:
    """Requests of a stretch of time, the same for the same seed.

    Attributes:
        vectors: features that parsed requests have.
        count: how many requests.
        start: time of the first.
        span: time until the last.
    """

    vectors: Sequence[FeatureVector]
    count: int
    start: datetime
    span: timedelta
    seed: int = 0

    def records(self, chunk: int = 100_000) -> Iterator[RequestRecord]:
        """All of them, oldest first."""
        random = np.random.default_rng(self.seed)
        for first in range(0, self.count, chunk):
            numbers = range(first, min(first + chunk, self.count))
            chances = random.random(len(numbers)).tolist()
            clients = np.minimum(random.zipf(_POWER, len(numbers)), _CLIENTS).tolist()
            identities = random.bytes(16 * len(numbers))
            for place, number in enumerate(numbers):
                identity = identities[16 * place : 16 * place + 16]
                yield self._record(number, chances[place], clients[place], identity)

    def _record(self, number: int, chance: float, client: int, identity: bytes) -> RequestRecord:
        at = self.start + self.span * (number / self.count)
        who = f"ip:198.{18 + client // 65536}.{client // 256 % 256}.{client % 256}"
        request_id, content = new_request_id(at, identity[:10]), identity.hex() * 2
        if chance < _GATE + _ADMISSION:
            gate = chance < _GATE
            return RequestRecord(
                *(request_id, at, who, "api", Stage.GATE if gate else Stage.ADMISSION),
                *(Verdict.REFUSE, 415 if gate else 403),
                reasons=(_REFUSED[number % len(_REFUSED)] if gate else "blocked",),
                content_sha256=content if gate else None,
            )
        is_flagged = chance < _GATE + _ADMISSION + _FLAG
        rule = NO_PERSON if number % 3 else SKIN_SHARE_LOW
        return RequestRecord(
            *(request_id, at, who, "api", Stage.PARSED),
            *(Verdict.FLAG if is_flagged else Verdict.PASS, 200),
            reasons=(rule.code,) if is_flagged else (),
            content_sha256=content,
            media_type="image/jpeg",
            segmenter=_SEGMENTER,
            labels=_LABELS[: 4 + number % 5],
            features=self.vectors[number % len(self.vectors)],
            findings=(Finding(rule, {"persons": 0.0}),) if is_flagged else (),
        )
