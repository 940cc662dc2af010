"""The request path, top to bottom: bytes, gate, parsing, checks, verdict, record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from detectors.findings import Finding
from detectors.parsing import Image, Parsing
from detectors.registry import FeatureVector
from detectors.verdict import Judgement, Mode, Verdict, judge
from inference.cache import ParseCache
from inference.checks.base import Case, Check, Needs, ensure_order
from inference.checks.run import run_check
from inference.content import Content
from inference.gate.screen import Gate, Screened
from inference.metrics import Metrics
from inference.recording.picture_keeper import PictureKeeper
from inference.recording.recorder import Recorder
from inference.refusals import FAULT, FINDING_ENFORCED, Refusal
from inference.segmenters.base import Segmenter
from inference.segmenters.current import present
from inference.stopwatch import Stopwatch
from inference.upload import Arrival, Upload
from store.requests.records import PictureFile, RequestRecord, Stage

_log = structlog.get_logger(__name__)

MEASUREMENT_FAILED = "measurement_failed"
ANSWER_NOT_READ = "answer_not_read"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a request: its record, and either a parsing of its picture or a refusal."""

    record: RequestRecord
    refusal: Refusal | None = None
    image: Image | None = None
    parsing: Parsing | None = None


@dataclass(frozen=True)
class Pipeline:
    """Guards one segmenter.

    Attributes:
        checks: run in this order.

    Raises:
        BadCheckList: the checks cannot be run in this order.
    """

    gate: Gate
    segmenter: Segmenter
    checks: tuple[Check, ...]
    recorder: Recorder
    evidence: PictureKeeper
    metrics: Metrics
    mode: Mode
    cache: ParseCache = field(default_factory=ParseCache)

    def __post_init__(self) -> None:
        """Refuse a wrong order before the first request meets it."""
        ensure_order(self.checks)

    def handle(self, arrival: Arrival, upload: Upload) -> Outcome:
        """Take one upload to its outcome; its record is kept when this returns.

        Raises:
            NotRecorded: the record could not be kept, so there is no answer to give.
        """
        watch = Stopwatch()
        act = partial(self._screen_and_check, arrival, upload, watch)
        outcome = self._outcome(arrival, upload, act)
        self._record(outcome.record, watch)
        return outcome

    def observe(
        self,
        arrival: Arrival,
        upload: Upload,
        read: Callable[[Image], Parsing | None] | None,
        costs: Mapping[str, float],
        status: int,
    ) -> Outcome:
        """Record a request that another service has answered; nothing is parsed here.

        The checks of this pipeline must be such that ask the segmenter nothing, and its mode one
        that refuses nothing: the answer is gone.

        Args:
            read: the parse of the picture ``(H, W, 3)`` that the other service gave, or ``None`` if
                its answer cannot be read; ``None`` in place of it if there is no answer.
            costs: features of the group ``cost`` that were measured there.
            status: of its answer.

        Raises:
            NotRecorded: the record could not be kept.
        """
        watch = Stopwatch()
        act = partial(self._screen_and_measure, arrival, upload, read, costs, watch)
        outcome = self._outcome(arrival, upload, act)
        if outcome.refusal is None:
            outcome = replace(outcome, record=replace(outcome.record, status=status))
        self._record(outcome.record, watch)
        return outcome

    def refuse(self, arrival: Arrival, refusal: Refusal) -> Outcome:
        """Record a request that is refused before or beside its bytes.

        Raises:
            NotRecorded: the record could not be kept.
        """
        outcome = _build_refusal(arrival, refusal)
        self._record(outcome.record, Stopwatch())
        return outcome

    def turn_away(self, arrival: Arrival, refusal: Refusal) -> None:
        """Count a refusal that gets no record of its own; touches neither disk nor database."""
        self.metrics.count(_build_refusal(arrival, refusal).record)
        self.metrics.unrecorded_refusals.labels(refusal.code).inc()

    def _outcome(
        self, arrival: Arrival, upload: Upload, act: Callable[[], Outcome | Refusal]
    ) -> Outcome:
        try:
            outcome = act()
        except Exception:  # noqa: BLE001
            # Closed on purpose: what the gate or the model cannot handle is not let through.
            self.metrics.faults.labels("gate_or_segmenter").inc()
            _log.exception("request failed", request_id=arrival.request_id)
            outcome = FAULT
        return _build_refusal(arrival, outcome, upload) if isinstance(outcome, Refusal) else outcome

    def _screen_and_check(
        self, arrival: Arrival, upload: Upload, watch: Stopwatch
    ) -> Outcome | Refusal:
        findings = self.gate.compare(upload)
        if isinstance(findings, Refusal):
            return findings
        # Once for the whole request: another model may take its place meanwhile.
        segmenter = present(self.segmenter)
        content = self._content(arrival, upload, segmenter, watch)
        if isinstance(content, Refusal):
            return content
        return self._check_request(content.case_of(arrival, upload, segmenter, findings), watch)

    def _check_request(self, case: Case, watch: Stopwatch) -> Outcome:
        for check in self._checks(Needs.REQUEST, Needs.FINDINGS):
            case = case.plus(run_check(check, case, self.metrics))
        return self._judge_case(case, watch.total())

    def _screen_and_measure(
        self,
        arrival: Arrival,
        upload: Upload,
        read: Callable[[Image], Parsing | None] | None,
        costs: Mapping[str, float],
        watch: Stopwatch,
    ) -> Outcome | Refusal:
        findings = self.gate.compare(upload)
        if isinstance(findings, Refusal):
            return findings
        screening = self._screen(upload.data)
        if isinstance(screening, Refusal):
            return screening
        all_costs = {"gate_ms": watch.lap(), **screening.decoded.costs(), **costs}
        parsing = None if read is None else read(screening.image)
        watch.lap()
        if parsing is None:
            reasons = () if read is None else (ANSWER_NOT_READ,)
            return self._judge_picture(arrival, upload, screening, findings, all_costs, reasons)
        case = Case(arrival, upload, self.segmenter, screening, parsing)
        content = self._measure(case, all_costs, watch)
        return self._check_request(
            content.case_of(arrival, upload, self.segmenter, findings), watch
        )

    def _content(
        self, arrival: Arrival, upload: Upload, segmenter: Segmenter, watch: Stopwatch
    ) -> Content | Refusal:
        """What the bytes hold: remembered, or screened, parsed and measured now."""
        content = self.cache.get(upload.sha256, segmenter.digest)
        if content is not None:
            return replace(content, costs={})
        screening = self._screen(upload.data)
        if isinstance(screening, Refusal):
            return screening
        costs = {"gate_ms": watch.lap(), **screening.decoded.costs()}
        with self.metrics.time_step("parse"):
            parsing = segmenter.parse(screening.image)
        costs["forward_ms"] = watch.lap()
        case = Case(arrival, upload, segmenter, screening, parsing)
        content = self._measure(case, costs, watch)
        if content.is_measured and judge(content.findings, self.mode).verdict is Verdict.PASS:
            self.cache.put(upload.sha256, segmenter.digest, content)
        return content

    def _measure(self, case: Case, costs: Mapping[str, float], watch: Stopwatch) -> Content:
        results = [run_check(check, case, self.metrics) for check in self._checks(Needs.CONTENT)]
        return replace(Content.of(case, results), costs={**costs, "measure_ms": watch.lap()})

    def _screen(self, data: bytes) -> Screened | Refusal:
        with self.metrics.time_step("decode"):
            decoded = self.gate.decode(data)
        if isinstance(decoded, Refusal):
            return decoded
        with self.metrics.time_step("picture"):
            return self.gate.measure(decoded, len(data))

    def _checks(self, *needs: Needs) -> Sequence[Check]:
        return [check for check in self.checks if check.needs in needs]

    def _judge_case(self, case: Case, total_ms: float) -> Outcome:
        judgement = judge(case.findings, self.mode)
        refusal = FINDING_ENFORCED if judgement.verdict is Verdict.REFUSE else None
        fault_reasons = () if case.is_measured else (MEASUREMENT_FAILED,)
        record = RequestRecord(
            request_id=case.arrival.request_id,
            received_at=case.arrival.received_at,
            client=case.arrival.client,
            route=case.arrival.route,
            stage=Stage.PARSED,
            verdict=judgement.verdict,
            status=refusal.status if refusal else 200,
            reasons=(*judgement.reasons, *fault_reasons),
            content_sha256=case.upload.sha256,
            media_type=case.screening.media_type.value,
            segmenter=case.segmenter.digest,
            labels=case.parsing.present_labels(),
            features=FeatureVector.of({**case.features, "total_ms": total_ms}),
            findings=case.findings,
            evidence=self._keep_pictures(case, judgement),
            trace=case.trace,
        )
        return Outcome(record, refusal, case.image, case.parsing)

    def _judge_picture(
        self,
        arrival: Arrival,
        upload: Upload,
        screening: Screened,
        findings: tuple[Finding, ...],
        costs: Mapping[str, float],
        reasons: tuple[str, ...],
    ) -> Outcome:
        """The outcome of a picture that came through the gate and has no parse."""
        all_findings = (*findings, *screening.findings)
        judgement = judge(all_findings, self.mode)
        record = RequestRecord(
            request_id=arrival.request_id,
            received_at=arrival.received_at,
            client=arrival.client,
            route=arrival.route,
            stage=Stage.GATE,
            verdict=judgement.verdict,
            status=200,
            reasons=(*judgement.reasons, *reasons),
            content_sha256=upload.sha256,
            media_type=screening.media_type.value,
            features=FeatureVector.of({**screening.features, **costs}),
            findings=all_findings,
        )
        return Outcome(record, image=screening.image)

    def _keep_pictures(self, case: Case, judgement: Judgement) -> tuple[PictureFile, ...]:
        try:
            places = [place for each in case.findings for place in each.places]
            with self.metrics.time_step("evidence"):
                return self.evidence.keep(
                    judgement.verdict, case.image, case.parsing, case.screening.faces, places
                )
        except Exception:  # noqa: BLE001
            # Open on purpose: a full disk must not cost the parse.
            self.metrics.faults.labels("evidence").inc()
            _log.exception("evidence not kept", request_id=case.arrival.request_id)
            return ()

    def _record(self, record: RequestRecord, watch: Stopwatch) -> None:
        with self.metrics.time_step("record"):
            self.recorder.record(record)
        self.metrics.count(record)
        self.metrics.seconds.observe(watch.total() / 1000)


def _build_refusal(arrival: Arrival, refusal: Refusal, upload: Upload | None = None) -> Outcome:
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
