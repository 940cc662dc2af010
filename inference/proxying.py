"""Wires the process that stands in front of an upstream: settings in, a working proxy out."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

import structlog

from detectors.verdict import Mode
from inference.admission.byte_budget import ByteBudget, Share
from inference.refusals import ANSWER_UNREAD, Refusal
from inference.results.outcomes import ANSWER_NOT_READ, Accepted, Outcome, Reply
from inference.results.waiting import Call, Waiting
from inference.service import Service
from inference.settings import ProxySettings
from inference.upload import Arrival, Upload
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.attach_settings import UnreadAnswers
from inference.upstream.looks.upstream_looks import UpstreamLooks
from inference.upstream.pending_calls import PendingCalls
from inference.upstream.presets.preset import Preset
from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.relay import Relay
from inference.upstream.reply_reader import ReplyReader
from inference.upstream.requests.sent_request import RequestLimits
from inference.upstream.uploaded_files import UploadedFiles
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
        return max_picture_bytes(self.settings)

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
        for waiting in (each for call in calls for each in call.waiting):
            self.service.metrics.replies.labels("not_read").inc()
            self._record_quietly(waiting.accepted, Reply(status, reasons=(ANSWER_NOT_READ,)))

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
        if not self.is_enforcing:
            self.reader.courtesy.wait()
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


def max_picture_bytes(settings: ProxySettings) -> int:
    """What the largest picture takes, decoded."""
    return settings.gate.max_decoded_pixels * _CHANNELS
