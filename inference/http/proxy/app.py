"""The application that stands in front of an upstream."""

from asyncio import sleep
from http import HTTPStatus

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.admission.identity import Sender
from inference.http.admit import admit, answer_refusal, check_rate, open_arrival, refuse_for
from inference.http.framing import OneFraming
from inference.http.problems import problem, refusal_problem
from inference.http.proxy.background import Background
from inference.http.proxy.exchanges.events import pass_events
from inference.http.proxy.gated_request import PictureRequest
from inference.http.proxy.own_headers import leave_out_own
from inference.http.proxy.own_pages import PREFIX, build_own_pages
from inference.http.proxy.pictures import pass_pictures
from inference.http.proxy.records import ID_HEADER, mark_ids
from inference.http.sender import identify_sender, read_keys
from inference.proxying import ROUTE, Proxy
from inference.refusals import FAULT, NOT_RECORDED, ODD_TARGET, UNGATED_ROUTE, Refused
from inference.upload import Arrival
from inference.upstream.looks.look_mark import leave_out_marks
from inference.upstream.presets.doors import find_door, is_disguised, is_overridden
from inference.upstream.presets.preset import Door, Preset
from inference.upstream.relay.exchange import Exchange
from inference.upstream.relay.faults import FaultKind, UpstreamFault
from store.people.api_keys import is_key
from store.spool.spool import NotRecorded

_log = structlog.get_logger(__name__)

_BODY_HEADERS = ("content-length", "transfer-encoding")
_SENTENCES = {
    FaultKind.TIMEOUT: "The service took too long to answer.",
    FaultKind.FULL: "The service is busy: try again in a moment.",
    FaultKind.LOOP: "The request goes round in circles.",
    FaultKind.TUNNEL: "Tunnels are not passed on.",
}
_RETRY_SECONDS = "1"
_EXPIRE_SECONDS = 1.0


class ProxyApp:
    """Gates pictures and passes everything else on; an ASGI application."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._own_pages = build_own_pages(proxy.service)
        self._background = Background()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one WebSocket."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(PREFIX):
            await self._own_pages(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._serve_websocket(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        service, request = self._proxy.service, Request(scope, receive)
        sender = self._identify(request)
        request = Request({**scope, "headers": leave_out_own(scope["headers"])}, receive)
        arrival = open_arrival(sender, ROUTE)
        answer = _Answer(send)
        try:
            refuse_for(sender.refusal)
            self._check_loop(scope)
            response = await self._pass(request, arrival, answer)
        except Refused as error:
            response = await self._refuse(arrival, error)
        except UpstreamFault as fault:
            response = self._answer_fault(arrival, fault)
        except NotRecorded as error:
            _log.error("record refused", why=str(error), request_id=arrival.request_id)
            response = refusal_problem(NOT_RECORDED, arrival.request_id)
        except ClientDisconnect:
            service.metrics.broken_off.inc()
            return
        except Exception:  # noqa: BLE001
            service.metrics.faults.labels("proxy").inc()
            _log.exception("request not passed on", request_id=arrival.request_id)
            response = await self._refuse(arrival, Refused(FAULT))
        # What was begun cannot be answered again: the server cuts it off.
        if response is not None and not answer.is_begun:
            response.headers.setdefault(ID_HEADER.decode(), arrival.request_id)
            await response(scope, receive, send)

    def _identify(self, request: Request) -> Sender:
        # Another bearer token is meant for the upstream.
        keys = {key for key in read_keys(request) if is_key(key)}
        return identify_sender(request, self._proxy.service, keys)

    def _check_loop(self, scope: Scope) -> None:
        """Refuse a look of our own: another one at its answer would be no end."""
        if self._proxy.looks.is_look(scope["headers"]):
            raise UpstreamFault(FaultKind.LOOP, "A look came back to the proxy that took it.")

    async def _pass(self, request: Request, arrival: Arrival, send: "_Answer") -> Response | None:
        """Pass a request on; the answer that is ours to give, if there is one."""
        proxy, scope = self._proxy, request.scope
        admit(proxy.service, arrival)
        path = scope["raw_path"]
        _check_target(path)
        door = find_door(proxy.preset, scope["method"], path)
        if door is not None and door.kind == "picture":
            return await pass_pictures(PictureRequest(proxy, door, request, arrival, send))
        if door is not None and door.part == "events":
            await pass_events(proxy, self._background, request, arrival, send)
            return None
        if _is_ungated(proxy.preset, door, request):
            await self._pass_ungated(request, arrival, send)
        else:
            await self._forward(request, arrival, send)
        return None

    async def _pass_ungated(self, request: Request, arrival: Arrival, send: "_Answer") -> None:
        """Pass on what may hold pictures that nobody looks into, and record that."""
        self._check_unknown_route()
        check_rate(self._proxy.service, arrival)
        try:
            exchange = await self._forward(request, arrival, send)
        except UpstreamFault as fault:
            # The service may have read the body all the same.
            await self._flag(arrival, fault.kind.status)
            raise
        await self._flag(arrival, exchange.status)

    async def _forward(self, request: Request, arrival: Arrival, send: "_Answer") -> Exchange:
        marks = mark_ids(arrival.request_id)
        relay = self._proxy.relay
        return await relay.forward(request.scope, request.receive, send, extra_headers=marks)

    async def _flag(self, arrival: Arrival, status: int) -> None:
        service = self._proxy.service
        await service.record_threads.run(service.pipeline.flag, arrival, status, UNGATED_ROUTE.code)

    def _check_unknown_route(self) -> None:
        """Refuse what nobody can look into, unless it is to pass."""
        attach = self._proxy.settings.attach
        if not attach.passes_unknown_routes(is_enforcing=self._proxy.is_enforcing):
            raise Refused(UNGATED_ROUTE)

    async def _refuse(self, arrival: Arrival, error: Refused) -> Response | None:
        try:
            return await answer_refusal(self._proxy.service, arrival, error.refusal)
        except NotRecorded as reason:
            _log.error("record refused", why=str(reason), request_id=arrival.request_id)
            return refusal_problem(NOT_RECORDED, arrival.request_id)

    def _answer_fault(self, arrival: Arrival, fault: UpstreamFault) -> Response:
        self._proxy.service.metrics.upstream_faults.labels(fault.kind.value).inc()
        _log.warning("no answer", why=str(fault), request_id=arrival.request_id)
        sentence = _SENTENCES.get(fault.kind, "The service gave no answer that can be passed on.")
        headers = {"Retry-After": _RETRY_SECONDS} if fault.kind is FaultKind.FULL else None
        code = f"upstream_{fault.kind.value}"
        return problem(code, fault.kind.status, sentence, arrival.request_id, headers)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and end with the server, and with its event loop."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        self._background.start(self._expire())
        await receive()
        await self._background.close()
        self._proxy.relay.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _expire(self) -> None:
        """Record from time to time what waits for the rest of its exchange in vain."""
        proxy = self._proxy
        while True:
            await sleep(_EXPIRE_SECONDS)
            uploads, calls = proxy.uploads.expire(), proxy.calls.expire()
            await proxy.service.record_threads.run(proxy.record_alone, uploads)
            await proxy.service.record_threads.run(proxy.record_unread, calls)

    async def _serve_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a WebSocket for whoever is not blocked; its messages are not looked into."""
        proxy = self._proxy
        sender = self._identify(Request({**scope, "type": "http"}))
        arrival = open_arrival(sender, ROUTE)
        try:
            refuse_for(sender.refusal)
            admit(proxy.service, arrival)
            _check_target(scope["raw_path"])
            if find_door(proxy.preset, "GET", scope["raw_path"]) is None:
                self._check_unknown_route()
                # At once: it may stay open for days.
                await self._flag(arrival, HTTPStatus.SWITCHING_PROTOCOLS)
            headers = leave_out_own(scope["headers"])
            await proxy.relay.forward_websocket({**scope, "headers": headers}, receive, send)
        except Refused as error:
            proxy.service.pipeline.turn_away(arrival, error.refusal)
            await _deny(send)
        except NotRecorded as error:
            _log.error("record refused", why=str(error), request_id=arrival.request_id)
            await _deny(send)
        except UpstreamFault as fault:
            proxy.service.metrics.upstream_faults.labels(fault.kind.value).inc()
            await _deny(send)


def build_proxy_app(proxy: Proxy) -> ASGIApp:
    """The web application of one proxy."""
    return OneFraming(ProxyApp(proxy))


class _Answer:
    """Sends to a client, and remembers whether anything was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_begun = False

    async def __call__(self, message: Message) -> None:
        self.is_begun = True
        if message["type"] == "http.response.start":
            # An upstream that writes down what it was asked could hand our marks to strangers.
            message = {**message, "headers": leave_out_marks(message["headers"])}
        await self._send(message)


def _is_ungated(preset: Preset, door: Door | None, request: Request) -> bool:
    """Whether a request may hold pictures, and comes through no door for them."""
    method, path = request.scope["method"], request.scope["raw_path"]
    if is_overridden(method, path, request.scope["headers"]):
        return True
    has_body = any(name in request.headers for name in _BODY_HEADERS)
    return door is None and (has_body or is_disguised(preset, method, path))


def _check_target(raw_path: bytes) -> None:
    """Refuse targets that name a host: which path they are is for each server to say."""
    if not raw_path.startswith(b"/") and raw_path != b"*":
        raise Refused(ODD_TARGET)


async def _deny(send: Send) -> None:
    """Close a WebSocket before it is open: the server answers 403."""
    await send({"type": "websocket.close", "code": 1008})
