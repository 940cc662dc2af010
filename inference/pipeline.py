"""The request path, top to bottom: bytes, gate, parsing, features, findings, verdict, record."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from time import perf_counter

import structlog

from detectors.findings import Finding
from detectors.model_features import model_features
from detectors.parsing import Image, Parsing
from detectors.persons import Scene
from detectors.registry import FeatureVector
from detectors.rules import TopologyLimits, topology_findings
from detectors.topology_features import topology_features
from detectors.verdict import Judgement, Mode, Verdict, judge
from inference.evidence import EvidenceKeeper
from inference.gate.screen import Gate, Screened
from inference.metrics import Metrics
from inference.recorder import Recorder
from inference.refusals import FAULT, FINDING_ENFORCED, Refusal
from inference.segmenters.base import Segmenter
from store.records import RequestRecord, Stage

_log = structlog.get_logger(__name__)

MEASUREMENT_FAILED = "measurement_failed"


@dataclass(frozen=True)
class Arrival:
    """A request before anything was read of it."""

    request_id: str
    received_at: datetime
    client: str
    route: str


@dataclass(frozen=True)
class Upload:
    """The bytes of a request and the type that the client declared for them."""

    data: bytes
    declared_type: str | None = None

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, in hex."""
        return sha256(self.data).hexdigest()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a request: its record, and either a parsing of its picture or a refusal."""

    record: RequestRecord
    refusal: Refusal | None = None
    image: Image | None = None
    parsing: Parsing | None = None


@dataclass(frozen=True)
class Measured:
    """Features and findings of one parsing."""

    features: FeatureVector
    findings: tuple[Finding, ...]


class Stopwatch:
    """Milliseconds between laps and in total."""

    def __init__(self) -> None:
        self._start = self._last = perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last lap."""
        now = perf_counter()
        passed, self._last = (now - self._last) * 1000, now
        return passed

    def total(self) -> float:
        """Milliseconds since the start."""
        return (perf_counter() - self._start) * 1000


@dataclass(frozen=True)
class Pipeline:
    """Guards one segmenter."""

    gate: Gate
    segmenter: Segmenter
    recorder: Recorder
    evidence: EvidenceKeeper
    metrics: Metrics
    limits: TopologyLimits
    mode: Mode

    def handle(self, arrival: Arrival, upload: Upload) -> Outcome:
        """Take one upload to its outcome; its record is durable when this returns.

        Raises:
            SpoolFailed: the record could not be kept, so there is no answer to give.
        """
        watch = Stopwatch()
        outcome = self._outcome(arrival, upload, watch)
        self._keep(outcome.record, watch)
        return outcome

    def refuse(self, arrival: Arrival, refusal: Refusal) -> Outcome:
        """Record a request that is refused before or beside its bytes.

        Raises:
            SpoolFailed: the record could not be kept.
        """
        outcome = _refused(arrival, refusal)
        self._keep(outcome.record, Stopwatch())
        return outcome

    def turn_away(self, arrival: Arrival, refusal: Refusal) -> None:
        """Count a refusal that gets no record of its own; touches neither disk nor database."""
        self.metrics.count(_refused(arrival, refusal).record)
        self.metrics.unrecorded.labels(refusal.code).inc()

    def _outcome(self, arrival: Arrival, upload: Upload, watch: Stopwatch) -> Outcome:
        try:
            screened = self.gate.screen(upload.data, upload.declared_type)
            if isinstance(screened, Refusal):
                return _refused(arrival, screened, upload)
            return self._parsed(arrival, screened, upload, watch)
        except Exception:  # noqa: BLE001
            # Closed on purpose: what the gate or the model cannot handle is not let through.
            self.metrics.faults.labels("gate_or_segmenter").inc()
            _log.exception("request failed", request_id=arrival.request_id)
            return _refused(arrival, FAULT, upload)

    def _parsed(
        self, arrival: Arrival, screened: Screened, upload: Upload, watch: Stopwatch
    ) -> Outcome:
        costs = {"gate_ms": watch.lap()}
        parsing = self.segmenter.parse(screened.image)
        costs["forward_ms"] = watch.lap()
        measured, judgement = self._judged(arrival, screened, parsing, costs, watch)
        refusal = FINDING_ENFORCED if judgement.verdict is Verdict.REFUSE else None
        record = RequestRecord(
            request_id=arrival.request_id,
            received_at=arrival.received_at,
            client=arrival.client,
            route=arrival.route,
            stage=Stage.PARSED,
            verdict=judgement.verdict,
            status=refusal.status if refusal else 200,
            reasons=judgement.reasons,
            content_sha256=upload.sha256,
            media_type=screened.media_type.value,
            segmenter=self.segmenter.digest,
            labels=parsing.present_labels(),
            features=measured.features,
            findings=measured.findings,
        )
        record = self._with_evidence(record, screened, parsing)
        return Outcome(record, refusal, screened.image, parsing)

    def _judged(
        self,
        arrival: Arrival,
        screened: Screened,
        parsing: Parsing,
        costs: dict[str, float],
        watch: Stopwatch,
    ) -> tuple[Measured, Judgement]:
        """Measure and judge; a fault in here is counted and lets the request pass."""
        try:
            scene = Scene.of(parsing)
            findings = (*screened.findings, *topology_findings(scene, self.limits))
            features = screened.features | model_features(parsing) | topology_features(scene)
            costs |= {"measure_ms": watch.lap(), "total_ms": watch.total()}
            measured = Measured(FeatureVector.of(features | costs), findings)
            return measured, judge(findings, self.mode)
        except Exception:  # noqa: BLE001
            self.metrics.faults.labels("measure").inc()
            _log.exception("measurement failed", request_id=arrival.request_id)
            nothing = Measured(FeatureVector.of(costs), ())
            return nothing, Judgement(Verdict.PASS, (MEASUREMENT_FAILED,))

    def _with_evidence(
        self, record: RequestRecord, screened: Screened, parsing: Parsing
    ) -> RequestRecord:
        try:
            kept = self.evidence.keep(record.verdict, screened.image, parsing, screened.faces)
            return replace(record, evidence=kept)
        except Exception:  # noqa: BLE001
            self.metrics.faults.labels("evidence").inc()
            _log.exception("evidence not kept", request_id=record.request_id)
            return record

    def _keep(self, record: RequestRecord, watch: Stopwatch) -> None:
        self.recorder.record(record)
        self.metrics.count(record)
        self.metrics.seconds.observe(watch.total() / 1000)


def _refused(arrival: Arrival, refusal: Refusal, upload: Upload | None = None) -> Outcome:
    record = RequestRecord(
        request_id=arrival.request_id,
        received_at=arrival.received_at,
        client=arrival.client,
        route=arrival.route,
        stage=refusal.stage,
        verdict=Verdict.REFUSE,
        status=refusal.status,
        reasons=(refusal.code,),
        content_sha256=upload.sha256 if upload else None,
    )
    return Outcome(record, refusal)
