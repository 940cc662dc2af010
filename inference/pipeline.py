"""The request path, top to bottom: bytes, gate, parsing, checks, verdict, record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

import structlog

from detectors.parsing import Parsing
from detectors.verdict import Mode, Verdict, judge
from inference.checks.base import Case, Check, Needs, ensure_order
from inference.checks.knowledge import Knowledge
from inference.checks.run import run_check
from inference.gate.screen import Gate, Screened
from inference.machine.stopwatch import Stopwatch
from inference.metrics import Metrics
from inference.recording.picture_keeper import PictureKeeper
from inference.recording.recorder import Recorder
from inference.refusals import FAULT, Refusal
from inference.results.cache import ParseCache
from inference.results.content import Content
from inference.results.outcomes import (
    MEASUREMENT_FAILED,
    Accepted,
    Outcome,
    Reply,
    build_flag,
    build_refusal,
    judge_case,
    judge_gate,
)
from inference.segmenters.base import Segmenter
from inference.segmenters.current import present
from inference.upload import Arrival, Upload
from store.requests.records import PictureFile, RequestRecord

_log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

# What a parse of our own is answered with, if nothing refuses it.
_PARSED_HERE = Reply(200)


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
    picture_keeper: PictureKeeper
    metrics: Metrics
    mode: Mode
    knowledge: Knowledge
    cache: ParseCache = field(default_factory=ParseCache)

    def __post_init__(self) -> None:
        """Refuse a wrong order before the first request meets it."""
        ensure_order(self.checks)

    def handle(self, arrival: Arrival, upload: Upload) -> Outcome:
        """Take one upload to its outcome; its record is kept when this returns.

        Raises:
            NotRecorded: the record could not be kept, so there is no answer to give.
        """
        return self.answer(arrival, upload, lambda outcome: outcome)

    def answer(
        self, arrival: Arrival, upload: Upload, make_answer: Callable[[Outcome], Answer]
    ) -> Answer:
        """Take one upload to its answer, which is made while its record is written.

        Raises:
            NotRecorded: the record could not be kept, so there is no answer to give.
        """
        watch = Stopwatch()
        outcome = self._outcome(arrival, upload, watch)
        with self._recording(outcome.record, watch):
            return make_answer(outcome)

    def examine(self, arrival: Arrival, upload: Upload) -> Outcome:
        """What :meth:`handle` would make of an upload, without a record of it."""
        return self._outcome(arrival, upload, Stopwatch())

    def screen(
        self, arrival: Arrival, upload: Upload, *, may_postpone: bool = False
    ) -> Accepted | Refusal:
        """Take one upload through the gate alone; only a refusal leaves a record.

        Args:
            may_postpone: whether its pixels may be measured with the reply to it, unless they
                could refuse it.

        Raises:
            NotRecorded: the record of the refusal could not be kept.
        """
        watch = Stopwatch()
        is_postponed = may_postpone and not self.gate.refuses_by_pixels
        try:
            accepted = self._accept(arrival, upload, watch, is_postponed=is_postponed)
        except Exception:  # noqa: BLE001
            # Closed on purpose, as for pictures that are parsed here.
            self.metrics.faults.labels("gate_or_segmenter").inc()
            _log.exception("screening failed", request_id=arrival.request_id)
            accepted = FAULT
        if isinstance(accepted, Refusal):
            self._record(build_refusal(arrival, accepted, upload).record, watch)
        return accepted

    def judge_reply(self, accepted: Accepted, reply: Reply) -> Outcome:
        """Check what a service answered to an accepted upload; its record is kept then.

        Raises:
            NotRecorded: the record could not be kept.
        """
        watch = Stopwatch()
        try:
            accepted = self._measure_postponed(accepted)
            outcome = self._judge_reply(accepted, reply, Stopwatch())
        except Exception:  # noqa: BLE001
            # Open on purpose: the service has answered, and monitoring must not break it.
            self.metrics.faults.labels("reply").inc()
            _log.exception("reply not judged", request_id=accepted.arrival.request_id)
            outcome = judge_gate(accepted, replace(reply, reasons=(MEASUREMENT_FAILED,)))
        self._record(outcome.record, watch)
        return outcome

    def record_unmeasured(self, accepted: Accepted, reply: Reply) -> None:
        """Record an accepted upload of which nothing more is measured.

        Raises:
            NotRecorded: the record could not be kept.
        """
        self._record(judge_gate(accepted, reply).record, Stopwatch())

    def refuse(
        self, arrival: Arrival, refusal: Refusal, content_sha256: str | None = None
    ) -> Outcome:
        """Record a request that is refused before or beside its bytes.

        Args:
            content_sha256: of the file, if it was read.

        Raises:
            NotRecorded: the record could not be kept.
        """
        outcome = build_refusal(arrival, refusal)
        self._record(replace(outcome.record, content_sha256=content_sha256), Stopwatch())
        return outcome

    def flag(self, arrival: Arrival, status: int, code: str) -> None:
        """Record a request that passed without a look at it, flagged with why.

        Raises:
            NotRecorded: the record could not be kept.
        """
        self._record(build_flag(arrival, status, code).record, Stopwatch())

    def turn_away(self, arrival: Arrival, refusal: Refusal) -> None:
        """Count a refusal that gets no record of its own; touches neither disk nor database."""
        self.metrics.count(build_refusal(arrival, refusal).record)
        self.metrics.unrecorded_refusals.labels(refusal.code).inc()

    def _outcome(self, arrival: Arrival, upload: Upload, watch: Stopwatch) -> Outcome:
        try:
            outcome = self._screen_and_check(arrival, upload, watch)
        except Exception:  # noqa: BLE001
            # Closed on purpose: what the gate or the model cannot handle is not let through.
            self.metrics.faults.labels("gate_or_segmenter").inc()
            _log.exception("request failed", request_id=arrival.request_id)
            outcome = FAULT
        return build_refusal(arrival, outcome, upload) if isinstance(outcome, Refusal) else outcome

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
        case = self._check_further(content.case_of(arrival, upload, segmenter, findings))
        return self._conclude(case, watch.total(), _PARSED_HERE)

    def _check_further(self, case: Case) -> Case:
        """The case after the checks that look at more than the content.

        Each is given findings that weigh what its source makes of them.
        """
        case = self.knowledge.weigh_case(case)
        for check in self._checks(Needs.REQUEST, Needs.FINDINGS):
            result = run_check(check, case, self.metrics)
            case = case.plus(self.knowledge.weigh_result(case, result))
        return case

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
        accepted = Accepted(arrival, upload, screening, (), costs)
        content = self._measure(accepted, segmenter, parsing, costs, watch)
        if content.is_measured and judge(content.findings, self.mode).verdict is Verdict.PASS:
            self.cache.put(upload.sha256, segmenter.digest, content)
        return content

    def _accept(
        self, arrival: Arrival, upload: Upload, watch: Stopwatch, *, is_postponed: bool
    ) -> Accepted | Refusal:
        findings = self.gate.compare(upload)
        if isinstance(findings, Refusal):
            return findings
        screening = self._screen(upload.data, is_postponed=is_postponed)
        if isinstance(screening, Refusal):
            return screening
        costs = {"gate_ms": watch.lap(), **screening.decoded.costs()}
        return Accepted(arrival, upload, screening, findings, costs)

    def _judge_reply(self, accepted: Accepted, reply: Reply, watch: Stopwatch) -> Outcome:
        if reply.parsing is None:
            return judge_gate(accepted, reply)
        segmenter = present(self.segmenter)
        costs = {**accepted.costs, **reply.costs}
        content = self._measure(accepted, segmenter, reply.parsing, costs, watch)
        case = content.case_of(accepted.arrival, accepted.upload, segmenter, accepted.findings)
        case = self._check_further(case)
        total_ms = sum(costs.get(name, 0.0) for name in ("gate_ms", "forward_ms"))
        return self._conclude(case, total_ms + watch.total(), reply)

    def _measure(
        self,
        accepted: Accepted,
        segmenter: Segmenter,
        parsing: Parsing,
        costs: Mapping[str, float],
        watch: Stopwatch,
    ) -> Content:
        """What the checks of the content say, with what it has cost."""
        case = Case(accepted.arrival, accepted.upload, segmenter, accepted.screening, parsing)
        results = [run_check(check, case, self.metrics) for check in self._checks(Needs.CONTENT)]
        return replace(Content.of(case, results), costs={**costs, "measure_ms": watch.lap()})

    def _measure_postponed(self, accepted: Accepted) -> Accepted:
        """The same, with what the gate measures."""
        if accepted.screening.is_measured:
            return accepted
        watch, data = Stopwatch(), accepted.upload.data
        with self.metrics.time_step("picture"):
            screening = self.gate.complete(accepted.screening, len(data))
        gate_ms = accepted.costs["gate_ms"] + watch.lap()
        return replace(accepted, screening=screening, costs={**accepted.costs, "gate_ms": gate_ms})

    def _screen(self, data: bytes, *, is_postponed: bool = False) -> Screened | Refusal:
        with self.metrics.time_step("decode"):
            decoded = self.gate.decode(data)
        if isinstance(decoded, Refusal):
            return decoded
        if is_postponed:
            return self.gate.postpone(decoded)
        with self.metrics.time_step("picture"):
            return self.gate.measure(decoded, len(data))

    def _checks(self, *needs: Needs) -> Sequence[Check]:
        return [check for check in self.checks if check.needs in needs]

    def _conclude(self, case: Case, total_ms: float, reply: Reply) -> Outcome:
        """The outcome of a case, with the pictures that are kept of it."""
        outcome = judge_case(case, self.mode, total_ms, reply)
        pictures = self._keep_pictures(case, outcome.record.verdict)
        family = self.knowledge.name_family(case)
        record = replace(outcome.record, evidence=pictures, sample_family=family)
        return replace(outcome, record=record)

    def _keep_pictures(self, case: Case, verdict: Verdict) -> tuple[PictureFile, ...]:
        try:
            places = [place for each in case.findings for place in each.places]
            with self.metrics.time_step("evidence"):
                return self.picture_keeper.keep(
                    verdict, case.image, case.parsing, case.screening.faces, places
                )
        except Exception:  # noqa: BLE001
            # Open on purpose: a full disk must not cost the parse.
            self.metrics.faults.labels("evidence").inc()
            _log.exception("evidence not kept", request_id=case.arrival.request_id)
            return ()

    def _record(self, record: RequestRecord, watch: Stopwatch) -> None:
        with self._recording(record, watch):
            pass

    @contextmanager
    def _recording(self, record: RequestRecord, watch: Stopwatch) -> Iterator[None]:
        """A record is written meanwhile; at the end of the block it is kept, whatever it raises."""
        with self.metrics.time_step("record_queue"):
            ticket = self.recorder.queue(record)
        try:
            yield
        finally:
            with self.metrics.time_step("record"):
                self.recorder.wait(ticket)
            self.metrics.count(record)
            self.metrics.seconds.observe(watch.total() / 1000)
