"""Measures and records what other services answered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, Self

from detectors.registry import FeatureVector
from detectors.verdict import Mode, Verdict
from inference.checks.catalogue import without_looks
from inference.labels.label_table import LabelTable
from inference.pipeline import Pipeline
from inference.refusals import Refusal, Refused
from inference.results.cache import ParseCache
from inference.results.outcomes import ANSWER_NOT_READ, Reply
from inference.upload import Arrival, Upload
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.observe.pair_joiner import Exchange
from inference.upstream.observe.report import UNKNOWN_STATUS, Report
from inference.upstream.observe.sent_masks import SentMasks
from inference.upstream.observe.source_namer import SourceNamer
from store.requests.records import RequestRecord, Stage
from store.requests.request_ids import new_request_id

ROUTE = "observe"


class ExchangeReader(Protocol):
    """Finds pictures and their masks in exchanges of one kind of service."""

    def read(self, exchange: Exchange) -> Sequence[tuple[Upload, SentMasks | None]]:
        """The pictures of an exchange, each with its masks if there are any.

        Raises:
            Refused: the request cannot be read.
        """
        ...


@dataclass(frozen=True)
class Observations:
    """Measures observations with the gate and the checks of a service.

    Attributes:
        pipeline: its checks ask the segmenter nothing, and its mode refuses nothing.
        namer: of what others tell of.
    """

    pipeline: Pipeline
    reader: ExchangeReader
    namer: SourceNamer

    @classmethod
    def of(cls, pipeline: Pipeline, reader: ExchangeReader, namer: SourceNamer) -> Self:
        """With the parts of the pipeline that uploads go through."""
        checks = without_looks(pipeline.checks)
        measuring = replace(pipeline, checks=checks, mode=Mode.MONITOR, cache=ParseCache())
        return cls(measuring, reader, namer)

    def measure_report(self, arrival: Arrival, report: Report) -> None:
        """Measure what a client of ours reports, and record it.

        Raises:
            NotRecorded: the record could not be kept.
        """
        if report.upload is None:
            self._record_features(arrival, report)
            return
        reply = Reply(report.status, costs=_costs(report))
        self._measure(arrival, report.upload, report.masks, reply)

    def measure_exchange(self, exchange: Exchange) -> None:
        """Measure each picture of an exchange, and record it.

        Raises:
            NotRecorded: the record could not be kept.
        """
        arrival = exchange.request.arrival
        # The logger tells of answers with this status alone.
        reply = Reply(UNKNOWN_STATUS if exchange.response is None else 200)
        try:
            pictures = self.reader.read(exchange)
        except Refused as error:
            self.pipeline.refuse(arrival, error.refusal)
            return
        for upload, masks in pictures:
            self._measure(arrival, upload, masks, reply)
            arrival = replace(arrival, request_id=new_request_id(datetime.now(UTC)))

    def _measure(
        self, arrival: Arrival, upload: Upload, masks: SentMasks | None, reply: Reply
    ) -> None:
        accepted = self.pipeline.screen(arrival, upload)
        if isinstance(accepted, Refusal):
            return
        if masks is None:
            self.pipeline.judge_reply(accepted, reply)
            return
        parsing = masks.read(accepted.screening.image)
        reasons = (ANSWER_NOT_READ,) if parsing is None else ()
        source = masks.source
        pipeline = replace(self.pipeline, segmenter=source)
        pipeline.judge_reply(accepted, replace(reply, parsing=parsing, reasons=reasons))
        self.namer.note(source.digest, source.name)

    def _record_features(self, arrival: Arrival, report: Report) -> None:
        """Numbers that somebody else measured are recorded as they are: nothing is judged here."""
        digest = digest_source("features", LabelTable(), report.origin)
        record = RequestRecord(
            request_id=arrival.request_id,
            received_at=arrival.received_at,
            client=arrival.client,
            route=arrival.route,
            stage=Stage.PARSED,
            verdict=Verdict.PASS,
            status=report.status,
            segmenter=digest,
            features=FeatureVector.of({**report.features, **_costs(report)}),
        )
        self.pipeline.recorder.record(record)
        self.pipeline.metrics.count(record)
        self.namer.note(digest, f"features of {report.origin}")


def _costs(report: Report) -> dict[str, float]:
    return {} if report.latency_ms is None else {"forward_ms": report.latency_ms}
