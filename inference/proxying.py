"""Wires the process that stands in front of an upstream: settings in, a working proxy out."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus

import structlog

from detectors.verdict import Mode
from inference.admission.byte_budget import ByteBudget, Share
from inference.checks.sparing import spare_upstream
from inference.pipeline import Pipeline
from inference.refusals import ANSWER_UNREAD, Refusal
from inference.results.outcomes import ANSWER_NOT_READ, Accepted, Outcome, Reply
from inference.service import Service, build_service
from inference.settings import ProxySettings
from inference.upload import Arrival, Upload
from inference.upstream.answers.answer import ALONE, Part
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.formats import AnswerFormat
from inference.upstream.answers.source_digest import digest_source
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.attach_settings import UnreadAnswers
from inference.upstream.courtesy import Courtesy
from inference.upstream.frames import Frame
from inference.upstream.looks.look_gate import LookGate
from inference.upstream.looks.look_mark import LookMark
from inference.upstream.looks.repeatable import Repeatable
from inference.upstream.looks.upstream_asker import UpstreamAsker
from inference.upstream.looks.upstream_looks import UpstreamLooks
from inference.upstream.pending_calls import PendingCalls
from inference.upstream.presets.preset import Preset
from inference.upstream.presets.preset_files import load_preset
from inference.upstream.relay.address import UpstreamAddress
from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.forwarding import Forwarding
from inference.upstream.relay.relay import Relay
from inference.upstream.reply_reader import ReplyReader
from inference.upstream.requests.sent_request import RequestLimits
from inference.upstream.source import GivenSource
from inference.upstream.uploaded_files import UploadedFiles
from inference.upstream.upstream_settings import SentHost
from inference.upstream.work_queue import Work, WorkQueue
from store.spool.spool import NotRecorded

_log = structlog.get_logger(__name__)

ROUTE = "proxy"
NOT_MEASURED = "not_measured"
UPSTREAM_FAILED = "upstream_failed"
NOT_PASSED_ON = "not_passed_on"
_FIRST_FAILED_STATUS = 400
_CLOSE_SECONDS = 30.0
_CHANNELS = 3
_MB = 1_000_000


class UpstreamHolder:
    """Stands where a hosted model is held: an upstream is loaded by somebody else."""

    def __init__(self, source: GivenSource) -> None:
        self.current = source

    def start(self) -> None:
        """Nothing has to be written down: no files of ours are loaded."""

    def ask(self) -> None:
        """Nothing can be loaded again."""

    def reload(self) -> bool:
        """Nothing can be loaded again."""
        return False

    def close(self) -> None:
        """There are no threads."""


@dataclass(frozen=True)
class Waiting:
    """An accepted picture whose answer is to be read.

    Attributes:
        frame: how the upstream saw the picture.
        form: how its answer is read; ``None`` if it holds no parse.
        part: of which picture of its request the parse is.
        files: pictures that the answer only points at, by their paths.
        repeatable: the request, if it may be sent again for further looks.
    """

    accepted: Accepted
    frame: Frame
    form: AnswerFormat | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    part: Part = ALONE
    repeatable: Repeatable | None = None

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        picture = self.accepted.screening.image.nbytes + len(self.accepted.upload.data)
        request = 0 if self.repeatable is None else self.repeatable.size_bytes
        return picture + request + sum(map(len, self.files.values()))


@dataclass(frozen=True)
class Call:
    """A call whose result comes later.

    Attributes:
        waiting: its picture; ``None`` if it has none, or its record was made already.
        has_session: whether its client chose the session that its events come in: that may be one
            of several calls.
        began_at: on the clock ``perf_counter``.
    """

    waiting: Waiting | None
    has_session: bool
    began_at: float

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return 0 if self.waiting is None else self.waiting.size_bytes


@dataclass(frozen=True)
class Proxy:
    """Everything that the routes of a proxy need.

    Attributes:
        memory: of pictures and answers while requests are passed on.
        looks: asks the upstream again.
        queue: answers that are read and checked beside the traffic.
        uploads: pictures that wait for a call which names them.
        calls: calls that wait for their results.
    """

    settings: ProxySettings
    service: Service
    preset: Preset
    relay: Relay
    looks: UpstreamLooks
    reader: ReplyReader
    limits: RequestLimits
    memory: ByteBudget
    queue: WorkQueue
    uploads: UploadedFiles[Accepted]
    calls: PendingCalls[Call]

    @property
    def is_enforcing(self) -> bool:
        """Whether findings refuse."""
        return self.service.pipeline.mode is Mode.ENFORCE

    @property
    def max_picture_bytes(self) -> int:
        """What the largest picture takes, decoded."""
        return self.settings.gate.max_decoded_pixels * _CHANNELS

    @property
    def refuses_unread(self) -> bool:
        """Whether nothing goes out that could not be read."""
        return self.is_enforcing and self.settings.attach.unread_answers is UnreadAnswers.REFUSE

    def screen(self, arrival: Arrival, upload: Upload, share: Share) -> Accepted | Refusal:
        """Take a picture through the gate, which counts for a share then. It takes a thread's time.

        Raises:
            Refused: there is no memory for it.
            NotRecorded: the record of a refusal could not be kept.
        """
        # Before it is decoded nobody knows its size.
        share.take(self.max_picture_bytes)
        outcome = self.service.pipeline.screen(arrival, upload, may_postpone=not self.is_enforcing)
        used = 0 if isinstance(outcome, Refusal) else outcome.screening.image.nbytes
        share.give_back(self.max_picture_bytes - used)
        return outcome

    def judge(self, waiting: Waiting, exchange: Exchange, tap: AnswerTap) -> Outcome:
        """Read an answer, check it and record what came of it. It takes a thread's time.

        Raises:
            NotRecorded: the record could not be kept.
        """
        return self._judge(waiting, exchange, tap, nullcontext)

    def judge_beside(self, waiting: Waiting, exchange: Exchange, tap: AnswerTap) -> bool:
        """Have the same done later; ``False`` if there is no room for it.

        What only further looks need is given up first.
        """
        without_looks = replace(waiting, repeatable=None)
        return self._put(waiting, exchange, tap) or self._put(without_looks, exchange, tap)

    def record_unmeasured(self, accepted: Accepted, status: int, reason: str) -> None:
        """Record a picture of which nothing more is looked at, with why.

        Raises:
            NotRecorded: the record could not be kept.
        """
        self.service.pipeline.record_unmeasured(accepted, Reply(status, reasons=(reason,)))

    def record_unanswered(self, accepted: Accepted, status: int) -> None:
        """Record a picture that the upstream gave no answer to.

        Raises:
            NotRecorded: the record could not be kept.
        """
        self.service.pipeline.judge_reply(accepted, Reply(status, reasons=(UPSTREAM_FAILED,)))

    def record_alone(self, uploads: Iterable[Accepted], status: int = HTTPStatus.OK) -> None:
        """Record uploads that no call names; nobody waits for that."""
        for accepted in uploads:
            self._record_quietly(accepted, Reply(status))

    def record_unread(self, calls: Iterable[Call], status: int = HTTPStatus.OK) -> None:
        """Record calls whose results cannot be tied to them; nobody waits for that."""
        for call in calls:
            if call.waiting is not None:
                self.service.metrics.replies.labels("not_read").inc()
                reply = Reply(status, reasons=(ANSWER_NOT_READ,))
                self._record_quietly(call.waiting.accepted, reply)

    def close(self) -> None:
        """Check what waits, for some time, then end; the relay is closed with its event loop."""
        # Records are to be finished, further looks are not.
        self.looks.close()
        left = self.queue.close(_CLOSE_SECONDS)
        if left:
            self.service.metrics.replies.labels("dropped").inc(left)
            _log.error("answers were not checked", answers=left)
        self.record_alone(self.uploads.clear())
        self.record_unread(self.calls.clear())
        self.service.close()

    def _put(self, waiting: Waiting, exchange: Exchange, tap: AnswerTap) -> bool:
        size = waiting.size_bytes + tap.byte_count
        return self.queue.put(Work(size, partial(self._judge_quietly, waiting, exchange, tap)))

    def _judge(
        self,
        waiting: Waiting,
        exchange: Exchange,
        tap: AnswerTap,
        wait_aside: Callable[[], AbstractContextManager[None]],
    ) -> Outcome:
        reply, pipeline = self._read(waiting, exchange, tap), self.service.pipeline
        if reply.parsing is None or waiting.repeatable is None:
            return pipeline.judge_reply(waiting.accepted, reply)
        with self.looks.visit(waiting.repeatable, reply.parsing, wait_aside) as source:
            return replace(pipeline, segmenter=source).judge_reply(waiting.accepted, reply)

    def _read(self, waiting: Waiting, exchange: Exchange, tap: AnswerTap) -> Reply:
        costs = {"forward_ms": 1000 * exchange.seconds}
        if waiting.form is None:
            return Reply(exchange.status, costs=costs)
        decoded = waiting.accepted.screening.decoded
        try:
            parsing = self.reader.read(
                *(waiting.form, exchange, tap, waiting.frame, decoded),
                *(waiting.files, waiting.part),
            )
        except AnswerUnreadable as error:
            request_id = waiting.accepted.arrival.request_id
            _log.warning("answer not read", why=str(error), request_id=request_id)
            self.service.metrics.replies.labels("not_read").inc()
            return self._leave_unread(exchange.status, costs)
        self.service.metrics.replies.labels("read").inc()
        return Reply(exchange.status, parsing, costs)

    def _leave_unread(self, status: int, costs: Mapping[str, float]) -> Reply:
        """What is said of an answer that cannot be read; errors hold no parse, and pass."""
        is_checked = self.is_enforcing and status < _FIRST_FAILED_STATUS
        refusal = ANSWER_UNREAD if is_checked and self.refuses_unread else None
        return Reply(status, None, costs, (ANSWER_NOT_READ,), refusal, is_flagged=is_checked)

    def _record_quietly(self, accepted: Accepted, reply: Reply) -> None:
        try:
            self.service.pipeline.judge_reply(accepted, reply)
        except NotRecorded as error:
            self.service.metrics.replies.labels("not_recorded").inc()
            _log.error("record refused", why=str(error))

    def _judge_quietly(self, waiting: Waiting, exchange: Exchange, tap: AnswerTap) -> None:
        try:
            self._judge(waiting, exchange, tap, self.queue.wait_aside)
        except NotRecorded as error:
            self.service.metrics.replies.labels("not_recorded").inc()
            _log.error("record refused", why=str(error))
        except Exception:  # noqa: BLE001
            # One that fails must not end the thread that checks the others.
            self.service.metrics.faults.labels("reply").inc()
            _log.exception("answer not checked")


def _spare_upstream(pipeline: Pipeline, settings: ProxySettings) -> Pipeline:
    """The pipeline with few looks, and a sample of what is looked at whatever it holds.

    Without looks all requests are the sample: only limits and budgets are learnt then.
    """
    share, knowledge = settings.asking.upstream_look_share, pipeline.knowledge
    if settings.asking.upstream_looks:
        knowledge = replace(knowledge, share=share, learning_share=share)
    checks = spare_upstream(pipeline.checks, knowledge)
    return replace(pipeline, checks=checks, knowledge=knowledge)


def build_proxy(settings: ProxySettings) -> Proxy:
    """Read the preset, connect to the database, start the gate; the upstream may still be away.

    Raises:
        MaskwatchError: no upstream is named, the preset is wrong, or the database is not usable.
    """
    address = settings.relay.upstream_address()
    preset = load_preset(settings.attach.preset)
    if unknown := preset.labels.unknown:
        _log.warning("labels without a part group", preset=preset.name, labels=unknown)
    digest = digest_source(preset.digest, preset.labels, settings.relay.upstream)
    source = GivenSource(digest, preset.labels.names, f"upstream:{preset.name}")
    holder = UpstreamHolder(source)
    service = build_service(settings, lambda _database, _metrics: holder)
    pipeline = _spare_upstream(service.pipeline, settings)
    keeps_host = settings.relay.upstream_host is SentHost.CLIENT
    forwarding = Forwarding(address, settings.proxies.trusted_proxies, keeps_host=keeps_host)
    attach = settings.attach
    queue = WorkQueue(
        "replies",
        attach.max_waiting_replies,
        attach.max_waiting_mb * _MB,
        threads=1,
        waiting=settings.asking.max_upstream_looks,
    )
    memory = ByteBudget(attach.held_bytes(settings.gate.max_decoded_pixels * _CHANNELS))
    max_answer_bytes = attach.max_answer_mb * _MB

    def is_crowded() -> bool:
        return memory.used_bytes + queue.size_bytes > max_answer_bytes

    service.metrics.watch_replies(lambda: len(queue), lambda: memory.used_bytes)
    reader = ReplyReader(preset.labels, max_answer_bytes, Courtesy(is_crowded))
    gate = LookGate(settings.asking.look_limits(), service.metrics, lambda: queue.is_half_empty)
    return Proxy(
        settings=settings,
        service=replace(service, pipeline=pipeline),
        preset=preset,
        relay=Relay(address, forwarding, settings.relay.relay_limits()),
        looks=UpstreamLooks(source, reader, gate, _build_asker(settings, address, forwarding)),
        reader=reader,
        limits=RequestLimits(settings.gate.max_upload_bytes),
        memory=memory,
        queue=queue,
        uploads=UploadedFiles(attach.keep_limits()),
        calls=PendingCalls(attach.keep_limits()),
    )


def _build_asker(
    settings: ProxySettings, address: UpstreamAddress, forwarding: Forwarding
) -> UpstreamAsker:
    """Connections for looks alone, and how long each may take."""
    asking, limits = settings.asking, settings.relay.relay_limits()
    relay = Relay(address, forwarding, replace(limits, max_connections=asking.max_upstream_looks))
    max_bytes = settings.attach.max_answer_mb * _MB
    return UpstreamAsker(relay, LookMark(), asking.upstream_look_seconds, max_bytes)
