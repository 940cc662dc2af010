"""What came before a request: measured on the store, and never in the way of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from detectors.findings import Finding
from detectors.parsing import Image, Parsing
from detectors.probing.fingerprint import Fingerprint, Fingerprinter
from detectors.probing.sequence import Member, ProbingLimits, family_of, probing_findings
from detectors.registry import FeatureVector
from inference.metrics import Metrics
from inference.upload import Arrival
from store.engine.database import Database, StoreUnavailable
from store.requests.fingerprints import Trail, client_trail, lookalikes
from store.requests.records import Trace

_log = structlog.get_logger(__name__)

_MOST_LOOKALIKES = 64
_TRAIL = timedelta(minutes=10)
_MOST_IN_TRAIL = 200


@dataclass(frozen=True)
class Traffic:
    """What was seen of a request's surroundings.

    Attributes:
        trace: what is remembered of its picture.
    """

    features: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    trace: Trace | None = None


@dataclass(frozen=True)
class TrafficWatch:
    """Holds each picture against those that came before it.

    Attributes:
        window: how long pictures are remembered.
    """

    database: Database
    fingerprinter: Fingerprinter
    limits: ProbingLimits
    window: timedelta
    metrics: Metrics

    def measure(self, arrival: Arrival, image: Image, parsing: Parsing) -> Traffic:
        """Features, findings and trace of a request; a fault is counted and costs only these."""
        try:
            taken = self.fingerprinter.of(image, parsing.label_map)
            return self._looked_up(arrival, taken)
        except Exception:  # noqa: BLE001
            # Open on purpose: what cannot be measured must not cost the parse.
            self.metrics.faults.labels("traffic").inc()
            _log.exception("traffic not measured", request_id=arrival.request_id)
            return Traffic()

    def _looked_up(self, arrival: Arrival, taken: Fingerprint) -> Traffic:
        keys = taken.index_keys()
        now = Member(arrival.received_at, arrival.client, taken, arrival.request_id)
        try:
            with self.database.read() as session:
                since = arrival.received_at - self.window
                candidates = lookalikes(session, keys, since, _MOST_LOOKALIKES)
                before = arrival.received_at - _TRAIL
                trail = client_trail(session, arrival.client, before, _MOST_IN_TRAIL)
        except StoreUnavailable:
            # The record waits in the spool, and the fingerprint with it.
            self.metrics.faults.labels("traffic").inc()
            return Traffic(trace=Trace(taken.to_bytes(), keys, arrival.request_id))
        family = family_of(now, candidates, self.limits)
        features = family.features(self.limits) | trail_features(trail, arrival.received_at)
        FeatureVector.of(features)
        return Traffic(
            features,
            probing_findings(family, features["probing_score"], self.limits),
            Trace(taken.to_bytes(), keys, family.name),
        )


def trail_features(trail: Trail, now: datetime) -> dict[str, float]:
    """How a client behaves: rate; interval and share refused once it was seen before."""
    if not trail.received_at:
        return {"client_rate": 1.0}
    last_minute = sum(now - at <= timedelta(minutes=1) for at in trail.received_at)
    return {
        "client_rate": 1.0 + last_minute,
        "client_interval": max(0.0, (now - trail.received_at[0]).total_seconds()),
        "client_refusal_share": sum(trail.refused) / len(trail.refused),
    }
