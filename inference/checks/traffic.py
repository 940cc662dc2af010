"""What came before a request: measured on the store, and never in the way of the answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.parsing import Image, LabelMap
from detectors.probing.differences import ProbingLimits
from detectors.probing.fingerprint import Fingerprinter
from detectors.probing.sequence import Member, family_of, probing_findings
from inference.checks.base import Case, CheckResult, Needs
from inference.machine.stopwatch import Stopwatch
from inference.upload import Arrival
from store.engine.database import Database, StoreUnavailable
from store.requests.fingerprints import Trail, client_trail, lookalikes
from store.requests.records import Trace

_MAX_LOOKALIKES = 64
_TRAIL = timedelta(minutes=10)
_MAX_IN_TRAIL = 200


@dataclass(frozen=True)
class TrafficCheck:
    """Holds each picture against those that came before it.

    Attributes:
        window: how long pictures are remembered.
    """

    database: Database
    fingerprinter: Fingerprinter
    limits: ProbingLimits
    window: timedelta
    name = "traffic"
    needs = Needs.REQUEST

    def run(self, case: Case) -> CheckResult:
        """See :meth:`measure`."""
        return self.measure(case.arrival, case.image, case.parsing.label_map)

    def measure(self, arrival: Arrival, image: Image, label_map: LabelMap) -> CheckResult:
        """The features of the group ``traffic`` with their cost, findings, and the trace.

        While the database is away there is the trace alone, and the result has failed.
        """
        watch, fingerprint = Stopwatch(), self.fingerprinter.of(image, label_map)
        keys = fingerprint.index_keys()
        try:
            candidates, trail = self._before(arrival, keys)
        except StoreUnavailable:
            # The record waits in the spool, and the fingerprint with it.
            trace = Trace(fingerprint.to_bytes(), keys, arrival.request_id)
            return CheckResult({"traffic_ms": watch.total()}, trace=trace, has_failed=True)
        now = Member(arrival.received_at, arrival.client, fingerprint, arrival.request_id)
        family = family_of(now, candidates, self.limits)
        features = family.features(self.limits) | trail_features(trail, arrival.received_at)
        return CheckResult(
            {**features, "traffic_ms": watch.total()},
            probing_findings(family, features["probing_score"], self.limits),
            Trace(fingerprint.to_bytes(), keys, family.name),
        )

    def _before(self, arrival: Arrival, keys: tuple[int, ...]) -> tuple[tuple[Member, ...], Trail]:
        """Pictures that may look like this one, and the client's last requests."""
        with self.database.read() as session:
            since = arrival.received_at - self.window
            candidates = lookalikes(session, keys, since, _MAX_LOOKALIKES)
            before = arrival.received_at - _TRAIL
            return candidates, client_trail(session, arrival.client, before, _MAX_IN_TRAIL)


def trail_features(trail: Trail, now: datetime) -> dict[str, float]:
    """How a client behaves: rate; interval and share refused once it was seen before."""
    if not trail.received_at:
        return {"client_rate": 1.0}
    last_minute = sum(now - at <= timedelta(minutes=1) for at in trail.received_at)
    return {
        "client_rate": 1.0 + last_minute,
        "client_interval": max(0.0, (now - trail.received_at[0]).total_seconds()),
        "client_refusal_share": sum(trail.refusals) / len(trail.refusals),
    }
