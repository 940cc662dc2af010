"""Streams of events, in which the results of calls are."""

from dataclasses import replace
from time import perf_counter

from starlette.requests import Request
from starlette.types import Message, Scope, Send

from inference.admission.byte_budget import Share
from inference.http.proxy.background import Background
from inference.http.proxy.exchanges.part_files import fetch_files
from inference.http.proxy.records import judge_beside
from inference.proxying import NOT_MEASURED, Proxy
from inference.refusals import NOT_RECORDED, Refusal, Refused
from inference.results.waiting import Call, Waiting
from inference.upload import Arrival
from inference.upstream.answers.errors import AnswerUnreadable
from inference.upstream.answers.tap import AnswerTap
from inference.upstream.call_results import (
    CallResult,
    EventSplitter,
    may_hold_result,
    read_result,
)
from inference.upstream.relay.exchange import Ending, Exchange
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from store.requests.client_names import network_of
from store.spool.spool import NotRecorded

_OK = 200
# The answer to a call is on its way already when its result comes first.
_TIE_SECONDS = 10.0
_UNTIED = "The result belongs to no call that is known here: call again."


async def pass_events(
    proxy: Proxy, background: Background, request: Request, arrival: Arrival, send: Send
) -> None:
    """Pass a stream on, and have the results in it checked: before they leave, when enforcing.

    Raises:
        UpstreamFault: the upstream gave no answer.
    """
    scope = {**request.scope, "headers": _without_packing(request.scope)}
    results = Results(proxy, scope)
    taker = Guard(results, send) if proxy.is_enforcing else Watch(results, background, send)
    marks = [(b"maskwatch-request-id", arrival.request_id.encode("ascii"))]
    await proxy.relay.forward(scope, request.receive, taker, extra_headers=marks)


class Results:
    """Ties the results in one stream to their calls, and has them checked."""

    def __init__(self, proxy: Proxy, scope: Scope) -> None:
        self._proxy, self._scope = proxy, scope
        self._path_id = scope["raw_path"].rpartition(b"/")[2].decode("latin-1")
        self.limit_bytes = proxy.settings.attach.max_answer_bytes

    async def watch(self, event: bytes) -> None:
        """Have an event that was passed on checked beside the traffic."""
        result = await self._read(event)
        if result is None or not result.is_last:
            return
        call = await self._take_call(result)
        if call is None:
            return
        for waiting in call.waiting:
            client = network_of(waiting.accepted.arrival.client)
            with self._proxy.memory.reserve(client) as share:
                read = await self._fetch(result, call, waiting, share)
                await judge_beside(self._proxy, *read)

    async def guard(self, event: bytes) -> bytes:
        """An event, or what the client gets instead of a result that is not let through."""
        result = await self._read(event)
        if result is None:
            return event
        if not result.is_last:
            return event if self._goes_on_without_picture(result) else b""
        call = await self._take_call(result)
        if call is None:
            return result.write_failure(_UNTIED)
        refusals = [await self._judge(result, call, waiting) for waiting in call.waiting]
        refusal = next(filter(None, refusals), None)
        return event if refusal is None else result.write_failure(refusal.sentence)

    async def _read(self, event: bytes) -> CallResult | None:
        return await self._proxy.service.form_threads.run(read_result, event, self._path_id)

    def _goes_on_without_picture(self, result: CallResult) -> bool:
        """Whether a part of a result is one of no parse: only whole parses can be checked."""
        call = self._proxy.calls.find(result.event_id)
        if call is None or (result.is_by_path and call.has_session):
            return False
        return not call.waiting

    async def _take_call(self, result: CallResult) -> Call | None:
        """The call of a result, if that is sure."""
        call = await self._proxy.calls.take(result.event_id, _TIE_SECONDS)
        if call is None or not (result.is_by_path and call.has_session):
            return call
        # The events of all calls of a session come here, and do not say which one is whose.
        await self._proxy.service.record_threads.run(self._proxy.record_unread, [call])
        return None

    async def _judge(self, result: CallResult, call: Call, waiting: Waiting) -> Refusal | None:
        proxy, client = self._proxy, waiting.accepted.arrival.client
        try:
            with proxy.memory.reserve(network_of(client)) as share:
                read = await self._fetch(result, call, waiting, share)
                return (await proxy.service.slots.work(client, proxy.judge, *read)).refusal
        except Refused as error:
            await proxy.service.record_threads.run(
                proxy.record_unmeasured, waiting.accepted, _OK, NOT_MEASURED
            )
            return error.refusal
        except NotRecorded:
            return NOT_RECORDED

    async def _fetch(
        self, result: CallResult, call: Call, waiting: Waiting, share: Share
    ) -> tuple[Waiting, Exchange, AnswerTap]:
        """What an answer that came at once would be."""
        seconds, size = perf_counter() - call.began_at, len(result.body)
        exchange = Exchange(_OK, "application/json", "", seconds, seconds, 0, size, Ending.WHOLE)
        tap = AnswerTap(self.limit_bytes)
        tap.take(result.body)
        whole, files = await fetch_files(
            self._proxy, self._scope, waiting.form, exchange, tap, share, waiting.part
        )
        return replace(waiting, files=files), exchange, whole


class Watch:
    """Sends a stream to a client as it comes, and reads along."""

    def __init__(self, results: Results, background: Background, send: Send) -> None:
        self._results, self._background, self._send = results, background, send
        self._splitter: EventSplitter | None = EventSplitter(results.limit_bytes)

    async def __call__(self, message: Message) -> None:
        """Send a message."""
        await self._send(message)
        for event in self._split(message.get("body", b"")):
            if may_hold_result(event):
                self._background.start(self._results.watch(event))

    def _split(self, data: bytes) -> list[bytes]:
        if self._splitter is None:
            return []
        try:
            return self._splitter.feed(data)
        except AnswerUnreadable:
            # The calls of this stream are recorded as not read when they have waited long enough.
            self._splitter = None
            return []


class Guard:
    """Sends each event of a stream to a client after it was checked."""

    def __init__(self, results: Results, send: Send) -> None:
        self._results, self._send = results, send
        self._splitter = EventSplitter(results.limit_bytes)

    async def __call__(self, message: Message) -> None:
        """Send what a message completes."""
        if message["type"] == "http.response.start":
            _check_packing(message)
            await self._send(message)
            return
        has_more = message.get("more_body", False)
        for event in self._split(message.get("body", b""), is_end=not has_more):
            checked = await self._results.guard(event) if may_hold_result(event) else event
            await self._send({**message, "body": checked, "more_body": True})
        if not has_more:
            await self._send({**message, "body": b"", "more_body": False})

    def _split(self, data: bytes, *, is_end: bool) -> list[bytes]:
        try:
            events = self._splitter.feed(data)
        except AnswerUnreadable as error:
            raise UpstreamFault(FaultKind.TOO_LARGE, str(error)) from None
        return [*events, self._splitter.rest] if is_end else events


def _check_packing(message: Message) -> None:
    if any(name == b"content-encoding" for name, _ in message["headers"]):
        raise UpstreamFault(FaultKind.BAD_ANSWER, "A stream of events is packed unasked.")


def _without_packing(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The headers of a request whose answer has to be read on its way."""
    return [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
