"""The request path, top to bottom: bytes, gate, parsing, features, findings, further looks,
verdict, record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

import structlog

from detectors.findings import Finding
from detectors.model_features import model_features
from detectors.parsing import Image, Parsing
from detectors.registry import FeatureVector
from detectors.topology.persons import Scene
from detectors.topology.topology_features import topology_features
from detectors.topology.topology_limits import TopologyLimits
from detectors.topology.topology_rules import topology_findings
from detectors.verdict import Mode, Verdict, judge
from inference.cache import ParseCache
from inference.checks.champion import Champion
from inference.checks.listed_patches import PatchWatch
from inference.checks.traffic import TrafficWatch
from inference.content import Content
from inference.ensemble.inspector import Inspector
from inference.gate.screen import Gate, Screened
from inference.metrics import Metrics
from inference.recording.picture_keeper import EvidenceKeeper
from inference.recording.recorder import Recorder
from inference.refusals import FAULT, FINDING_ENFORCED, Refusal
from inference.segmenters.base import Segmenter
from inference.segmenters.current import present
from inference.upload import Arrival, Upload
from store.requests.records import RequestRecord, Stage

_log = structlog.get_logger(__name__)

MEASUREMENT_FAILED = "measurement_failed"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a request: its record, and either a parsing of its picture or a refusal."""

    record: RequestRecord
    refusal: Refusal | None = None
    image: Image | None = None
    parsing: Parsing | None = None


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
    """Guards one segmenter.

    Attributes:
        limits_of: the limits of the topology rules for a model's digest.
    """

    gate: Gate
    segmenter: Segmenter
    recorder: Recorder
    evidence: EvidenceKeeper
    inspector: Inspector
    traffic: TrafficWatch
    patches: PatchWatch
    champion: Champion
    metrics: Metrics
    limits_of: Callable[[str], TopologyLimits]
    mode: Mode
    cache: ParseCache = field(default_factory=ParseCache)

    def handle(self, arrival: Arrival, upload: Upload) -> Outcome:
        """Take one upload to its outcome; its record is kept when this returns.

        Raises:
            NotRecorded: the record could not be kept, so there is no answer to give.
        """
        watch = Stopwatch()
        outcome = self._outcome(arrival, upload, watch)
        self._keep(outcome.record, watch)
        return outcome

    def refuse(self, arrival: Arrival, refusal: Refusal) -> Outcome:
        """Record a request that is refused before or beside its bytes.

        Raises:
            NotRecorded: the record could not be kept.
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
            said = self.gate.compare(upload)
            if isinstance(said, Refusal):
                return _refused(arrival, said, upload)
            costs: dict[str, float] = {}
            # Once for the whole request: another model may take its place meanwhile.
            segmenter = present(self.segmenter)
            content = self._content(arrival, upload, segmenter, costs, watch)
            if isinstance(content, Refusal):
                return _refused(arrival, content, upload)
            screened = content.screened
            seen = self.traffic.measure(arrival, screened.image, content.parsing)
            costs["traffic_ms"] = watch.lap()
            listed = self.patches.findings(arrival, upload, screened.image)
            unusual = self.champion.findings(content.features)
            findings = (*said, *content.findings, *seen.findings, *listed, *unusual)
            forward_ms = costs.get("forward_ms")
            looked = self.inspector.inspect(segmenter, content, findings, forward_ms)
            measured = {**content.features, **seen.features, **costs, **looked.features}
            measured["total_ms"] = watch.total()
            found = (*findings, *looked.findings)
            judged = self._judged(arrival, upload, segmenter.digest, found, content, measured)
            return replace(judged, record=replace(judged.record, trace=seen.trace))
        except Exception:  # noqa: BLE001
            # Closed on purpose: what the gate or the model cannot handle is not let through.
            self.metrics.faults.labels("gate_or_segmenter").inc()
            _log.exception("request failed", request_id=arrival.request_id)
            return _refused(arrival, FAULT, upload)

    def _content(
        self,
        arrival: Arrival,
        upload: Upload,
        segmenter: Segmenter,
        costs: dict[str, float],
        watch: Stopwatch,
    ) -> Content | Refusal:
        """What the bytes hold: remembered, or screened, parsed and measured now."""
        known = self.cache.get(upload.sha256, segmenter.digest)
        if known is not None:
            return known
        screened = self.gate.screen(upload.data)
        if isinstance(screened, Refusal):
            return screened
        costs |= {"gate_ms": watch.lap(), **screened.decoded.costs()}
        parsing = segmenter.parse(screened.image)
        costs["forward_ms"] = watch.lap()
        content = self._measured(arrival, screened, parsing, self.limits_of(segmenter.digest))
        costs["measure_ms"] = watch.lap()
        if content.complete and judge(content.findings, self.mode).verdict is Verdict.PASS:
            self.cache.put(upload.sha256, segmenter.digest, content)
        return content

    def _measured(
        self, arrival: Arrival, screened: Screened, parsing: Parsing, limits: TopologyLimits
    ) -> Content:
        """Measure and apply the rules; a fault in here is counted and lets the request pass."""
        try:
            scene = Scene.of(parsing)
            findings = (*screened.findings, *topology_findings(scene, limits))
            features = screened.features | model_features(parsing) | topology_features(scene)
            FeatureVector.of(features)
        except Exception:  # noqa: BLE001
            self.metrics.faults.labels("measure").inc()
            _log.exception("measurement failed", request_id=arrival.request_id)
            return Content(screened, parsing, {}, screened.findings, complete=False)
        return Content(screened, parsing, features, findings)

    def _judged(
        self,
        arrival: Arrival,
        upload: Upload,
        model_digest: str,
        findings: tuple[Finding, ...],
        content: Content,
        measured: Mapping[str, float],
    ) -> Outcome:
        judgement = judge(findings, self.mode)
        refusal = FINDING_ENFORCED if judgement.verdict is Verdict.REFUSE else None
        unmeasured = () if content.complete else (MEASUREMENT_FAILED,)
        screened, parsing = content.screened, content.parsing
        record = RequestRecord(
            request_id=arrival.request_id,
            received_at=arrival.received_at,
            client=arrival.client,
            route=arrival.route,
            stage=Stage.PARSED,
            verdict=judgement.verdict,
            status=refusal.status if refusal else 200,
            reasons=(*judgement.reasons, *unmeasured),
            content_sha256=upload.sha256,
            media_type=screened.media_type.value,
            segmenter=model_digest,
            labels=parsing.present_labels(),
            features=FeatureVector.of(measured),
            findings=findings,
        )
        record = self._with_evidence(record, screened, parsing)
        return Outcome(record, refusal, screened.image, parsing)

    def _with_evidence(
        self, record: RequestRecord, screened: Screened, parsing: Parsing
    ) -> RequestRecord:
        try:
            places = [place for finding in record.findings for place in finding.places]
            kept = self.evidence.keep(
                record.verdict, screened.image, parsing, screened.faces, places
            )
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
